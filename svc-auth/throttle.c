#include "svc-auth/throttle.h"

#include <arpa/inet.h>
#include <string.h>

#include "svc-auth/store.h"

static char *key_of(const struct throttle *t, const char *who, struct arena *a)
{
	return arena_printf(a, "%s/%s", t->name, who);
}

int throttle_check(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                   struct error *err)
{
	int64_t seconds = 0;

	if (!who)
		return 0;
	if (store_throttle_wait(db, key_of(t, who, a), t->limit, t->window, &seconds, err) < 0)
		return -1;
	if (seconds <= 0)
		return 0;
	return error_too_many(err, (int)seconds, "too many failed attempts; try again in %d minutes",
	                      (int)(seconds + 59) / 60);
}

int throttle_note(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                  struct error *err)
{
	return who ? store_throttle_note(db, key_of(t, who, a), t->limit, t->window, err) : 0;
}

int throttle_forget(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                    struct error *err)
{
	return who ? store_throttle_forget(db, key_of(t, who, a), err) : 0;
}

int throttle_take(struct db *db, const struct throttle *t, const char *who, struct arena *a,
                  struct error *err)
{
	return store_throttle_take(db, key_of(t, who, a), t->limit, t->window, t->gap, err);
}

char *throttle_client(const char *ip, struct arena *a)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];

	if (!ip || inet_pton(AF_INET6, ip, &address) != 1)
		return arena_strdup(a, ip);
	if (IN6_IS_ADDR_V4MAPPED(&address))
		return arena_strdup(a, inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text));
	memset(&address.s6_addr[8], 0, 8);
	return arena_printf(a, "%s/64", inet_ntop(AF_INET6, &address, text, sizeof text));
}

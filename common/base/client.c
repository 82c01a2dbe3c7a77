#include "common/base/client.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

enum { NETWORK = 8 }; /* bytes of an IPv6 address that name its /64 */

struct address {
	bool v4;
	unsigned char bytes[16]; /* the first 4 of them for v4; of IPv6, what is beyond the /64 is 0 */
};

static bool parse(const char *ip, struct address *ret)
{
	struct in6_addr v6;

	*ret = (struct address){ .v4 = true };
	if (ip && inet_pton(AF_INET, ip, ret->bytes) == 1)
		return true;
	if (!ip || inet_pton(AF_INET6, ip, &v6) != 1)
		return false;
	ret->v4 = IN6_IS_ADDR_V4MAPPED(&v6);
	memcpy(ret->bytes, ret->v4 ? &v6.s6_addr[12] : v6.s6_addr, ret->v4 ? 4 : NETWORK);
	return true;
}

static char *show(const struct address *at, const char *suffix, struct arena *a)
{
	char text[INET6_ADDRSTRLEN];

	return arena_printf(a, "%s%s", inet_ntop(at->v4 ? AF_INET : AF_INET6, at->bytes, text, sizeof text),
	                    suffix);
}

uint64_t client_number(const char *ip)
{
	struct address at;
	uint64_t number = 0;

	if (!parse(ip, &at))
		return UINT64_MAX;
	for (int i = 0; i < NETWORK; i++)
		number = number << 8 | at.bytes[i];
	/* No IPv6 network in use begins with 16 bits of ones and goes on with zeros. */
	return at.v4 ? number >> 32 | UINT64_C(0xffff) << 48 : number ? number : UINT64_MAX;
}

char *client_name(const char *ip, struct arena *a)
{
	struct address at;

	return parse(ip, &at) ? show(&at, at.v4 ? "" : "/64", a) : arena_strdup(a, ip);
}

char *client_network(const char *ip, struct arena *a)
{
	struct address at;

	if (!parse(ip, &at))
		return arena_strdup(a, ip);
	if (at.v4)
		at.bytes[3] = 0;
	return show(&at, at.v4 ? "/24" : "/64", a);
}

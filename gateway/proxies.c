#include "gateway/proxies.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_TEXT = 64 };

/* 0 and 16 bytes (IPv4 mapped), or -1. */
static int parse_address(const char *text, unsigned char bytes[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		memcpy(bytes, mapped, sizeof mapped);
		memcpy(bytes + 12, &v4, 4);
		return 0;
	}
	return inet_pton(AF_INET6, text, bytes) == 1 ? 0 : -1;
}

static int parse_range(struct proxy_range *r, char *text)
{
	char *slash = strchr(text, '/'), *end;
	bool v4 = !strchr(text, ':');
	long bits = v4 ? 32 : 128;

	if (slash) {
		*slash = '\0';
		bits = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end || bits < 0 || bits > (v4 ? 32 : 128))
			return -1;
	}
	r->bits = (int)bits + (v4 ? 96 : 0);
	return parse_address(text, r->network);
}

int proxies_parse(struct proxies *ret, const char *list, struct error *err)
{
	static const char separators[] = ", \t";

	ret->count = 0;
	while (*(list += strspn(list, separators))) {
		size_t length = strcspn(list, separators);
		char text[ADDRESS_TEXT];

		if (ret->count == PROXIES_MAX)
			return error_set(err, ERROR_INVALID, "more than %d trusted proxies", PROXIES_MAX);
		if (length < sizeof text) {
			memcpy(text, list, length);
			text[length] = '\0';
		}
		if (length >= sizeof text || parse_range(&ret->ranges[ret->count], text) < 0)
			return error_set(err, ERROR_INVALID, "%.*s is not an address or network", (int)length,
			                 list);
		ret->count++;
		list += length;
	}
	return 0;
}

static bool in_range(const struct proxy_range *r, const unsigned char address[16])
{
	int whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(r->network, address, (size_t)whole))
		return false;
	return !rest || (r->network[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool proxies_trust(const struct proxies *p, const char *text)
{
	unsigned char address[16];

	if (parse_address(text, address) < 0)
		return false;
	for (int i = 0; i < p->count; i++)
		if (in_range(&p->ranges[i], address))
			return true;
	return false;
}

/* The last entry of the list, cut off it: NULL when there is none or when it is not an address. */
static const char *pop(char *list)
{
	char *comma = strrchr(list, ','), *entry = comma ? comma + 1 : list, *end;
	unsigned char address[16];

	entry += strspn(entry, " \t");
	for (end = entry + strlen(entry); end > entry && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	if (comma)
		*comma = '\0';
	return parse_address(entry, address) == 0 ? entry : NULL;
}

const char *proxies_client(const struct proxies *p, const char *peer, const char *forwarded, struct arena *a)
{
	const char *client = peer, *entry;
	char *list;

	if (!forwarded || !p->count || !proxies_trust(p, peer))
		return peer;
	list = arena_strdup(a, forwarded);
	while (proxies_trust(p, client)) {
		bool last = !strchr(list, ',');

		entry = pop(list);
		if (!entry)
			break;
		client = arena_strdup(a, entry);
		if (last)
			break;
	}
	return client;
}

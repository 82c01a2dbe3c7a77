/* Which addresses may be connected to: RFC 6890's special-purpose nets and their kin are refused. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/egress_internal.h"

/* IPv4, and IPv6 by its own notation; what is not in 2000::/3 is refused anyway. */
static const struct {
	const char *net;
	int bits;
} refused[] = {
	{ "0.0.0.0", 8 },       /* this host */
	{ "10.0.0.0", 8 },      /* private */
	{ "100.64.0.0", 10 },   /* carrier-grade NAT */
	{ "127.0.0.0", 8 },     /* loopback */
	{ "169.254.0.0", 16 },  /* link-local, cloud metadata */
	{ "172.16.0.0", 12 },   /* private */
	{ "192.0.0.0", 24 },    /* protocol assignments */
	{ "192.0.2.0", 24 },    /* documentation */
	{ "192.88.99.0", 24 },  /* 6to4 relays */
	{ "192.168.0.0", 16 },  /* private */
	{ "198.18.0.0", 15 },   /* benchmarking */
	{ "198.51.100.0", 24 }, /* documentation */
	{ "203.0.113.0", 24 },  /* documentation */
	{ "224.0.0.0", 4 },     /* multicast */
	{ "240.0.0.0", 4 },     /* reserved, broadcast */
	{ "2001::", 23 },       /* protocol assignments, Teredo */
	{ "2001:db8::", 32 },   /* documentation */
	{ "2002::", 16 },       /* 6to4: hides an IPv4 address */
	{ "3fff::", 20 },       /* documentation */
};

/* Text of either family as 16 bytes. */
static int parse_address(const char *text, unsigned char bytes[16], int *is_v4)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	*is_v4 = inet_pton(AF_INET, text, bytes + 12) == 1;
	if (*is_v4)
		memcpy(bytes, mapped, sizeof mapped);
	return *is_v4 || inet_pton(AF_INET6, text, bytes) == 1;
}

static int inside(const unsigned char address[16], const unsigned char net[16], int bits)
{
	int whole = bits / 8, rest = bits % 8;

	if (memcmp(address, net, (size_t)whole) != 0)
		return 0;
	return rest == 0 || ((address[whole] ^ net[whole]) >> (8 - rest)) == 0;
}

/* An address as 16 bytes; IPv4 behind NAT64 (64:ff9b::/96) becomes what it stands for. */
static int canonical(const struct sockaddr *address, unsigned char bytes[16])
{
	static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (address->sa_family == AF_INET) {
		memcpy(bytes, mapped, sizeof mapped);
		memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
		return 1;
	}
	if (address->sa_family != AF_INET6)
		return 0;
	memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	if (memcmp(bytes, nat64, sizeof nat64) == 0)
		memcpy(bytes, mapped, sizeof mapped);
	return 1;
}

static int is_public(const unsigned char bytes[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(bytes, mapped, sizeof mapped) != 0 && (bytes[0] & 0xe0) != 0x20)
		return 0;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		unsigned char net[16];
		int is_v4;

		if (!parse_address(refused[i].net, net, &is_v4))
			abort();
		if (inside(bytes, net, refused[i].bits + (is_v4 ? 96 : 0)))
			return 0;
	}
	return 1;
}

int egress_allows(const struct egress *e, const struct sockaddr *address)
{
	unsigned char bytes[16];

	if (!canonical(address, bytes))
		return 0;
	for (int i = 0; i < e->allowed_count; i++)
		if (inside(bytes, e->allowed[i].bytes, e->allowed[i].bits))
			return 1;
	return is_public(bytes);
}

static int parse_net(const char *text, struct egress_net *net)
{
	char address[64];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char *end = NULL;
	long bits = -1;
	int is_v4;

	if (length >= sizeof address)
		return 0;
	snprintf(address, sizeof address, "%.*s", (int)length, text);
	if (!parse_address(address, net->bytes, &is_v4))
		return 0;
	if (slash) {
		bits = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end)
			return 0;
	} else {
		bits = is_v4 ? 32 : 128;
	}
	net->bits = (int)bits + (is_v4 ? 96 : 0);
	return bits >= 0 && net->bits <= 128;
}

int egress_parse_allow(struct egress *e, const char *list, struct error *err)
{
	char copy[2048], *rest = copy;

	if (strlen(list) >= sizeof copy)
		return error_set(err, ERROR_INVALID, "EGRESS_ALLOW is too long");
	snprintf(copy, sizeof copy, "%s", list);
	for (char *word = strtok_r(copy, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		if (e->allowed_count == EGRESS_NETS)
			return error_set(err, ERROR_INVALID, "EGRESS_ALLOW has more than %d nets",
			                 EGRESS_NETS);
		if (!parse_net(word, &e->allowed[e->allowed_count]))
			return error_set(
			    err, ERROR_INVALID,
			    "EGRESS_ALLOW: \"%s\" is no net; nets look like 10.0.0.0/8 or fd00::/8", word);
		e->allowed_count++;
	}
	return 0;
}

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/egress/internal.h"

#define V4(a, b, c, d)                                               \
	{                                                            \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d \
	}

/*
 * Not for strangers: the special-purpose registries of IANA (RFC 6890 and what came after), and two addresses at which
 * clouds tell secrets. Of IPv6 only global unicast (2000::/3) is let through, without its own special blocks.
 */
static const struct address_range refused[] = {
	{ V4(0, 0, 0, 0), 96 + 8 },         /* "this network"; 0.0.0.0 reaches the machine itself */
	{ V4(10, 0, 0, 0), 96 + 8 },        /* private */
	{ V4(100, 64, 0, 0), 96 + 10 },     /* carrier-grade NAT; metadata at 100.100.100.200 */
	{ V4(127, 0, 0, 0), 96 + 8 },       /* loopback */
	{ V4(168, 63, 129, 16), 96 + 32 },  /* Azure's host */
	{ V4(169, 254, 0, 0), 96 + 16 },    /* link-local; metadata at 169.254.169.254 */
	{ V4(172, 16, 0, 0), 96 + 12 },     /* private */
	{ V4(192, 0, 0, 0), 96 + 24 },      /* protocol assignments; metadata at 192.0.0.192 */
	{ V4(192, 0, 2, 0), 96 + 24 },      /* documentation */
	{ V4(192, 88, 99, 0), 96 + 24 },    /* 6to4 relays */
	{ V4(192, 168, 0, 0), 96 + 16 },    /* private */
	{ V4(198, 18, 0, 0), 96 + 15 },     /* benchmarks */
	{ V4(198, 51, 100, 0), 96 + 24 },   /* documentation */
	{ V4(203, 0, 113, 0), 96 + 24 },    /* documentation */
	{ V4(224, 0, 0, 0), 96 + 4 },       /* multicast */
	{ V4(240, 0, 0, 0), 96 + 4 },       /* reserved, broadcast */
	{ { 0x20, 0x01 }, 23 },             /* protocol assignments: Teredo, ORCHID */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x20, 0x02 }, 16 },             /* 6to4: carries any IPv4 address */
	{ { 0x3f, 0xff }, 20 },             /* documentation */
};
static const struct address_range global_unicast = { { 0x20 }, 3 };
static const struct address_range mapped = { V4(0, 0, 0, 0), 96 };
static const struct address_range nat64 = { { 0x00, 0x64, 0xff, 0x9b }, 96 };

static int within(const struct address_range *range, const unsigned char bytes[16])
{
	int whole = range->bits / 8, rest = range->bits % 8;

	if (memcmp(range->bytes, bytes, (size_t)whole) != 0)
		return 0;
	return !rest || ((range->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

static int listed(const struct address_range *ranges, size_t count, const unsigned char bytes[16])
{
	for (size_t i = 0; i < count; i++) {
		if (within(&ranges[i], bytes))
			return 1;
	}
	return 0;
}

/* An IPv4 address in the form in which ranges are kept. */
static void map_v4(unsigned char bytes[16], const void *v4)
{
	memcpy(bytes, mapped.bytes, 12);
	memcpy(bytes + 12, v4, 4);
}

int egress_allows(const struct egress *e, const struct sockaddr *address)
{
	const size_t count = sizeof refused / sizeof *refused;
	unsigned char bytes[16];

	if (address->sa_family == AF_INET) {
		map_v4(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
		return listed(e->allowed, (size_t)e->allowed_count, bytes) || !listed(refused, count, bytes);
	}
	if (address->sa_family != AF_INET6)
		return 0;
	memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, sizeof bytes);
	if (listed(e->allowed, (size_t)e->allowed_count, bytes))
		return 1;
	if (within(&nat64, bytes)) /* the IPv4 address that it stands for counts */
		memcpy(bytes, mapped.bytes, 12);
	else if (!within(&mapped, bytes) && !within(&global_unicast, bytes))
		return 0;
	return listed(e->allowed, (size_t)e->allowed_count, bytes) || !listed(refused, count, bytes);
}

/* "10.0.0.0/8", "fd00::1" */
static int parse_range(char *text, struct address_range *ret)
{
	char *slash = strchr(text, '/'), *end;
	unsigned char v4[4];
	long most = 128, bits;

	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, text, v4) == 1) {
		map_v4(ret->bytes, v4);
		most = 32;
	} else if (inet_pton(AF_INET6, text, ret->bytes) != 1) {
		return -1;
	}
	bits = most;
	if (slash) {
		bits = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end || slash[1] < '0' || slash[1] > '9' || bits > most)
			return -1;
	}
	ret->bits = (int)(bits + 128 - most);
	return 0;
}

int egress_parse_ranges(struct egress *e, const char *allow, struct error *err)
{
	for (const char *at = allow; *at;) {
		size_t length = strcspn(at, ", ");
		char text[64];
		if (length >= sizeof text || e->allowed_count == EGRESS_RANGES)
			return error_set(err, ERROR_INVALID, "EGRESS_ALLOW is too long at '%.60s'", at);
		memcpy(text, at, length);
		text[length] = '\0';
		if (length && parse_range(text, &e->allowed[e->allowed_count++]) < 0)
			return error_set(err, ERROR_INVALID,
			                 "EGRESS_ALLOW: '%.*s' is no address and no range like 10.0.0.0/8",
			                 (int)length, at);
		at += length;
		at += strspn(at, ", ");
	}
	return 0;
}

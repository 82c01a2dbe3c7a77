#include "svc-integrations/slack/signature.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/secret/secret.h"

enum { SIGNATURE = 3 + 64 }; /* "v0=" and HMAC-SHA256 in hexadecimal */

bool slack_stamp_is_fresh(const struct slack_stamp *stamp, int64_t now)
{
	size_t digits = stamp->timestamp ? strspn(stamp->timestamp, "0123456789") : 0;
	int64_t made;

	if (digits == 0 || digits > 15 || stamp->timestamp[digits] || !stamp->signature)
		return false;
	made = strtoll(stamp->timestamp, NULL, 10);
	return made >= now - SLACK_CLOCK_SECONDS && made <= now + SLACK_CLOCK_SECONDS;
}

bool slack_signature_fits(const struct slack_stamp *stamp, const char *secret, const void *body, size_t size,
                          struct arena *a)
{
	unsigned char mac[MAC_SIZE];
	char want[SIGNATURE + 1] = "v0=";
	const char *head;

	if (!*secret || strlen(stamp->signature) != SIGNATURE)
		return false;
	head = arena_printf(a, "v0:%s:", stamp->timestamp);
	mac_sha256_by(secret, strlen(secret), head, strlen(head), body, size, mac);
	hex_encode(want + 3, mac, MAC_SIZE);
	return mac_equal(want, stamp->signature, SIGNATURE);
}

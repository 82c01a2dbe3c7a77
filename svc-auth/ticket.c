#include "svc-auth/ticket.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { UUID_BYTES = 16, NAMED = 2 * UUID_BYTES + 4, WHOLE = NAMED + MAC_SIZE };

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

static void uuid_pack(unsigned char *to, const char *text)
{
	for (int i = 0; i < UUID_BYTES; text += 2) {
		text += *text == '-';
		to[i++] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
	}
}

static void uuid_unpack(char text[UUID_TEXT], const unsigned char *b)
{
	snprintf(text, UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	         b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
	         b[14], b[15]);
}

static void sign(const unsigned char key[KEY_SIZE], const char *purpose, unsigned char bytes[WHOLE])
{
	mac_sha256(key, purpose, strlen(purpose) + 1, bytes, NAMED, bytes + NAMED);
}

void ticket_make(const unsigned char key[KEY_SIZE], const char *purpose, const struct ticket *t,
                 char text[TICKET_TEXT])
{
	unsigned char bytes[WHOLE];

	assert(uuid_valid(t->owner) && uuid_valid(t->id));
	uuid_pack(bytes, t->owner);
	uuid_pack(bytes + UUID_BYTES, t->id);
	for (int i = 0; i < 4; i++)
		bytes[2 * UUID_BYTES + i] = (unsigned char)(t->number >> (8 * i));
	sign(key, purpose, bytes);
	base64url_encode(text, bytes, sizeof bytes);
}

bool ticket_read(const unsigned char key[KEY_SIZE], const char *purpose, const char *text, struct ticket *ret)
{
	unsigned char bytes[WHOLE], ours[WHOLE];

	if (!text || strlen(text) != TICKET_TEXT - 1 ||
	    base64url_decode(bytes, sizeof bytes, text, TICKET_TEXT - 1) != WHOLE)
		return false;
	memcpy(ours, bytes, NAMED);
	sign(key, purpose, ours);
	if (!mac_equal(ours, bytes, WHOLE))
		return false;
	uuid_unpack(ret->owner, bytes);
	uuid_unpack(ret->id, bytes + UUID_BYTES);
	ret->number = 0;
	for (int i = 0; i < 4; i++)
		ret->number |= (uint32_t)bytes[2 * UUID_BYTES + i] << (8 * i);
	return true;
}

#include "svc-chat/visitor.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/utf8.h"
#include "common/json/json.h"

enum { NAME_MAX_CHARACTERS = 200, EMAIL_MAX_CHARACTERS = 320 };

static void mac_hex(const void *key, size_t key_size, const char *text, char hex[2 * MAC_SIZE + 1])
{
	unsigned char mac[MAC_SIZE];

	(void)HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text), mac, NULL);
	hex_encode(hex, mac, MAC_SIZE);
}

char *visitor_secret(const unsigned char key[KEY_SIZE], const char *chatbot, int version, struct arena *a)
{
	char *hex = arena_alloc(a, 2 * MAC_SIZE + 1);

	mac_hex(key, KEY_SIZE, arena_printf(a, "%s\n%d", chatbot, version), hex);
	return hex;
}

void visitor_sign(const char *secret, const char *told, char signature[2 * MAC_SIZE + 1])
{
	mac_hex(secret, strlen(secret), told, signature);
}

/* NULL when it is absent; false when it is no text, or too long. */
static bool read_text(json_object *told, const char *name, size_t most, const char **ret, struct arena *a)
{
	json_object *value = json_get(told, name);
	const char *text = json_string(told, name);

	*ret = NULL;
	if (!value)
		return true;
	if (!text || utf8_length(text, strlen(text)) > most)
		return false;
	*ret = *text ? arena_strdup(a, text) : NULL;
	return true;
}

int visitor_read(const char *secret, const char *told, const char *signature, int64_t now,
                 struct visitor *ret, struct arena *a, struct error *err)
{
	OWN(json) json_object *object = NULL;
	char want[2 * MAC_SIZE + 1];

	visitor_sign(secret, told, want);
	if (strlen(signature) != strlen(want) || !mac_equal(want, signature, strlen(want)))
		return error_set(err, ERROR_FORBIDDEN,
		                 "this visitor is not signed with the chatbot's secret");
	if (json_parse(told, strlen(told), &object, err) < 0) {
		error_clear(err);
		return error_field(err, a, "body", "visitor", "value_error", "must be a JSON object as text");
	}
	if (!json_object_is_type(object, json_type_object) ||
	    !read_text(object, "name", NAME_MAX_CHARACTERS, &ret->name, a) ||
	    !read_text(object, "email", EMAIL_MAX_CHARACTERS, &ret->email, a))
		return error_field(
		    err, a, "body", "visitor", "value_error",
		    "must hold a name (at most 200 characters) and an email (at most 320) as text");
	if (json_get(object, "exp") && json_int(object, "exp", 0) <= now)
		return error_set(err, ERROR_FORBIDDEN, "the time of this visitor's signature is over");
	return 0;
}

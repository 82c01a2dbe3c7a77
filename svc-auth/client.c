#include "svc-auth/client.h"

#include <ctype.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/json/format.h"
#include "common/json/json.h"

enum { SHORT_MAC = 16 };
static const char own[] = "p_", purpose[] = "oauth.client";

/* --- Addresses --------------------------------------------------------------------------------------------------- */

/* scheme "://" host [":" port] rest, as lengths into the text. */
struct parts {
	size_t scheme;
	const char *host;
	size_t host_length;
	const char *rest; /* behind the port */
};

static bool split(const char *uri, struct parts *ret)
{
	ret->scheme = strcspn(uri, ":");
	ret->host = uri + ret->scheme;
	if (strncmp(ret->host, "://", 3) != 0)
		return false;
	ret->host += 3;
	ret->host_length = strcspn(ret->host, *ret->host == '[' ? "]/?" : ":/?");
	ret->host_length += ret->host[ret->host_length] == ']';
	ret->rest = ret->host + ret->host_length;
	if (*ret->rest == ':')
		ret->rest += 1 + strspn(ret->rest + 1, "0123456789");
	return !*ret->rest || strchr("/?", *ret->rest);
}

static bool is_scheme(const char *uri, const struct parts *p, const char *scheme)
{
	return p->scheme == strlen(scheme) && strncmp(uri, scheme, p->scheme) == 0;
}

/* This machine, and no other. */
static bool is_here(const struct parts *p)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (p->host_length == strlen(names[i]) && strncmp(p->host, names[i], p->host_length) == 0)
			return true;
	return false;
}

/* A scheme that an app may have taken for its own. */
static bool is_apps_own(const char *uri, size_t length)
{
	static const char *const taken[] = { "javascript",  "data",   "vbscript", "file", "blob",
		                             "about",       "ws",     "wss",      "ftp",  "filesystem",
		                             "view-source", "mailto", "tel",      "sms",  "intent",
		                             "content",     "chrome", "resource", "jar",  "http",
		                             "https" };

	if (length < 2 || !islower((unsigned char)*uri) ||
	    strspn(uri, "abcdefghijklmnopqrstuvwxyz0123456789+.-") < length)
		return false;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (length == strlen(taken[i]) && strncmp(uri, taken[i], length) == 0)
			return false;
	return uri[length + 1] == '/';
}

/* In plain characters: what is shown of it cannot pass for another host. */
static bool is_plain(const char *uri)
{
	for (const char *c = uri; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}#", *c))
			return false;
	return true;
}

bool client_uri_fits(const char *uri)
{
	size_t length = strlen(uri);
	struct parts p;

	if (length == 0 || length > CLIENT_URI_BYTES || !strchr(uri, ':') || !is_plain(uri))
		return false;
	if (is_apps_own(uri, strcspn(uri, ":")))
		return true;
	if (!split(uri, &p) || !format_url(uri, length) || memchr(p.host, '@', strcspn(p.host, "/?")))
		return false;
	return is_scheme(uri, &p, "https") || (is_scheme(uri, &p, "http") && is_here(&p));
}

static bool same(const char *registered, const char *uri)
{
	struct parts a, b;

	if (strcmp(registered, uri) == 0)
		return true;
	return split(registered, &a) && split(uri, &b) && is_scheme(registered, &a, "http") &&
	       is_scheme(uri, &b, "http") && is_here(&a) && a.host_length == b.host_length &&
	       strncmp(a.host, b.host, a.host_length) == 0 && strcmp(a.rest, b.rest) == 0;
}

bool client_may_be_answered_at(const struct client *c, const char *uri)
{
	for (int i = 0; i < c->uri_count; i++)
		if (client_uri_fits(uri) && same(c->uris[i], uri))
			return true;
	return false;
}

const char *client_uri_place(const char *uri, struct arena *a)
{
	struct parts p;

	if (is_apps_own(uri, strcspn(uri, ":")) || !split(uri, &p))
		return arena_printf(a, "the app that opens %.*s: links", (int)strcspn(uri, ":"), uri);
	return is_here(&p) ? arena_printf(a, "this computer (%.*s)", (int)p.host_length, p.host)
	                   : arena_strndup(a, p.host, p.host_length);
}

const char *client_uri_source(const char *uri, struct arena *a)
{
	struct parts p;

	if (is_apps_own(uri, strcspn(uri, ":")) || !split(uri, &p))
		return arena_printf(a, "%.*s:", (int)strcspn(uri, ":"), uri);
	if (*p.host == '[') /* that grammar knows no such address */
		return arena_printf(a, "%.*s:", (int)p.scheme, uri);
	return arena_strndup(a, uri, (size_t)(p.rest - uri));
}

/* --- What it says of itself -------------------------------------------------------------------------------------- */

/* Characters that cannot be seen, or turn the text round: a name must not pass for another one. */
static bool is_shown(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0xad && c != 0x61c && (c < 0x200b || c > 0x200f) &&
	       (c < 0x2028 || c > 0x202e) && (c < 0x2060 || c > 0x206f) && (c < 0xfff0 || c > 0xffff) &&
	       c != 0xfeff && c < 0xe0000;
}

static const char *clean_name(const char *given, struct arena *a)
{
	char *name = arena_alloc(a, CLIENT_NAME_BYTES + 5);
	const char *cut = name;
	size_t length = 0;

	while (given && *given && length < CLIENT_NAME_BYTES) {
		uint32_t c = utf8_next(&given);

		if (is_shown(c))
			length += utf8_put(name + length, c);
	}
	format_trim(&cut, &length);
	return length ? arena_strndup(a, cut, length) : "An unnamed program";
}

static bool read_uris(json_object *list, struct client *ret, struct arena *a)
{
	size_t count =
	    list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (count == 0 || count > CLIENT_URIS)
		return false;
	for (size_t i = 0; i < count; i++) {
		json_object *one = json_object_array_get_idx(list, i);

		if (!json_object_is_type(one, json_type_string) ||
		    !client_uri_fits(json_object_get_string(one)))
			return false;
		ret->uris[ret->uri_count++] = arena_strdup(a, json_object_get_string(one));
	}
	return true;
}

/* A grant, a way of answering, a way of proving that we do not have. */
static bool asks_too_much(json_object *said, bool document)
{
	const char *method = json_string(said, "token_endpoint_auth_method");
	json_object *types = json_get(said, "response_types");

	if (document && method && strncmp(method, "client_secret", 13) == 0)
		return true; /* whoever can read the document would know the secret */
	for (size_t i = 0;
	     types && json_object_is_type(types, json_type_array) && i < json_object_array_length(types);
	     i++) {
		const char *type = json_object_get_string(json_object_array_get_idx(types, i));

		if (!type || strcmp(type, "code") != 0)
			return true;
	}
	return false;
}

const char *client_read(const char *json, size_t size, const char *document, struct client *ret,
                        struct arena *a)
{
	OWN(json) json_object *said = NULL;
	struct error ignored = { 0 };

	*ret = (struct client){ 0 };
	if (json_parse(json, size, &said, &ignored) < 0 || !json_object_is_type(said, json_type_object) ||
	    asks_too_much(said, document != NULL))
		return "invalid_client_metadata";
	if (document &&
	    (!json_string(said, "client_id") || strcmp(json_string(said, "client_id"), document) != 0))
		return "invalid_client_metadata";
	if (!read_uris(json_get(said, "redirect_uris"), ret, a))
		return "invalid_redirect_uri";
	ret->name = clean_name(json_string(said, "client_name"), a);
	ret->id = arena_strdup(a, document);
	return NULL;
}

/* --- Its id ------------------------------------------------------------------------------------------------------ */

static void sign(const unsigned char key[KEY_SIZE], const char *text, size_t length, char mac[2 * MAC_SIZE])
{
	unsigned char bytes[MAC_SIZE];

	mac_sha256(key, purpose, sizeof purpose, text, length, bytes);
	base64url_encode(mac, bytes, SHORT_MAC);
}

const char *client_make_id(const unsigned char key[KEY_SIZE], const struct client *c, struct arena *a)
{
	char mac[2 * MAC_SIZE], *id;
	struct text t;

	text_init(&t, a);
	text_adds(&t, "{\"client_name\":");
	text_add_json(&t, c->name, strlen(c->name));
	text_adds(&t, ",\"redirect_uris\":[");
	for (int i = 0; i < c->uri_count; i++) {
		text_adds(&t, i ? "," : "");
		text_add_json(&t, c->uris[i], strlen(c->uris[i]));
	}
	text_adds(&t, "]}");
	id = arena_alloc(a, 4 * (t.length + 2) / 3 + 1);
	base64url_encode(id, t.at, t.length);
	sign(key, t.at, t.length, mac);
	id = arena_printf(a, "%s%s.%s", own, id, mac);
	return strlen(id) <= CLIENT_ID_BYTES ? id : NULL;
}

bool client_read_id(const unsigned char key[KEY_SIZE], const char *id, struct client *ret, struct arena *a)
{
	size_t prefix = sizeof own - 1, length = strlen(id);
	char mac[2 * MAC_SIZE], *text;
	const char *dot = strchr(id, '.');
	int size;

	if (length > CLIENT_ID_BYTES || strncmp(id, own, prefix) != 0 || !dot)
		return false;
	text = arena_alloc(a, length);
	size = base64url_decode(text, length, id + prefix, (size_t)(dot - id) - prefix);
	if (size < 0)
		return false;
	sign(key, text, (size_t)size, mac);
	if (strlen(dot + 1) != strlen(mac) || !mac_equal(dot + 1, mac, strlen(mac)) ||
	    client_read(text, (size_t)size, NULL, ret, a))
		return false;
	ret->id = arena_strdup(a, id);
	return true;
}

bool client_is_document(const char *id, bool plain)
{
	struct parts p;

	if (strlen(id) > CLIENT_URI_BYTES || !is_plain(id) || !split(id, &p) || !format_url(id, strlen(id)))
		return false;
	return (is_scheme(id, &p, "https") || (plain && is_scheme(id, &p, "http"))) && *p.rest == '/' &&
	       p.rest[1] && !strstr(id, "/../") && !strstr(id, "/./") &&
	       !memchr(p.host, '@', strcspn(p.host, "/?"));
}

const char *client_host(const char *uri, struct arena *a)
{
	struct parts p;

	return split(uri, &p) ? arena_strndup(a, p.host, p.host_length) : NULL;
}

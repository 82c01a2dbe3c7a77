#include "svc-chat/tools/result.h"

#include <string.h>
#include <strings.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/model/defuse.h"
#include "svc-chat/model/tokens.h"

static void add_line(struct text *t, const char *text)
{
	if (t->length && t->at[t->length - 1] != '\n')
		text_addc(t, '\n');
	text_adds(t, text);
}

static void add_file(struct text *t, const char *kind, json_object *item)
{
	const char *data = json_string(item, "data"), *type = json_string(item, "mimeType");

	data = data ? data : json_string(item, "blob");
	add_line(t, arena_printf(t->arena, "[%s%s%.80s, %zu bytes]", kind, type ? ", " : "", type ? type : "",
	                         data ? strlen(data) / 4 * 3 : 0));
}

static void add_resource(struct text *t, json_object *resource)
{
	const char *text = json_string(resource, "text"), *uri = json_string(resource, "uri");

	if (uri)
		add_line(t, arena_printf(t->arena, "[resource %.300s]", uri));
	if (text)
		add_line(t, text);
	else
		add_file(t, "file", resource);
}

static void add_item(struct text *t, json_object *item)
{
	const char *type = json_string(item, "type"), *text = json_string(item, "text");

	if (!type || strcmp(type, "text") == 0) {
		if (text)
			add_line(t, text);
	} else if (strcmp(type, "resource") == 0) {
		add_resource(t, json_get(item, "resource"));
	} else if (strcmp(type, "resource_link") == 0) {
		const char *name = json_string(item, "name"), *uri = json_string(item, "uri");

		add_line(t, arena_printf(t->arena, "[link to %.200s: %.300s]", name ? name : "a resource",
		                         uri ? uri : ""));
	} else {
		add_file(t,
		         strcmp(type, "image") == 0   ? "image"
		         : strcmp(type, "audio") == 0 ? "audio"
		                                      : "something that cannot be shown",
		         item);
	}
}

const char *result_text(json_object *result, size_t most, struct arena *a)
{
	json_object *content = json_get(result, "content"), *data = json_get(result, "structuredContent");
	size_t n = json_object_is_type(content, json_type_array) ? json_object_array_length(content) : 0;
	struct text raw, clean;

	text_init(&raw, a);
	text_init(&clean, a);
	for (size_t i = 0; i < n && raw.length <= most; i++)
		add_item(&raw, json_object_array_get_idx(content, i));
	if (!raw.length && data)
		text_adds(&raw, json_print(data, a));
	if (!raw.length)
		text_adds(&raw, "(the tool gave nothing back)");
	defuse_text(raw.at, utf8_clip(raw.at, raw.length, most), &clean);
	return arena_strndup(a, clean.at, utf8_clip(clean.at, clean.length, most));
}

bool result_failed(json_object *result)
{
	return json_flag(result, "isError", 0);
}

const char *result_piece(const char *text, int number, int64_t from, int64_t tokens, struct arena *a)
{
	size_t size = strlen(text), piece;
	const char *at = utf8_skip(text, text + size, from > 0 ? (size_t)from : 0);
	int64_t start = (int64_t)utf8_length(text, (size_t)(at - text)), end;

	piece = tokens_clip(at, tokens > 16 ? tokens : 16);
	if (at == text && !at[piece])
		return text;
	end = start + (int64_t)utf8_length(at, piece);
	if (!at[piece])
		return arena_printf(a, "%s\n[characters %lld to %lld of result %d; it ends here]", at,
		                    (long long)start, (long long)end, number);
	return arena_printf(
	    a,
	    "%.*s\n[characters %lld to %lld of %zu; for more call read_more with {\"result\": %d, \"from\": %lld}]",
	    (int)piece, at, (long long)start, (long long)end, utf8_length(text, size), number,
	    (long long)end);
}

/* --- Files ------------------------------------------------------------------------------------------------------------- */

enum { NAME_MOST = 200, TYPE_MOST = 100, URI_MOST = 2000 };

static const char *clip(const char *text, size_t most, struct arena *a)
{
	return text ? arena_strndup(a, text, utf8_clip(text, strlen(text), most)) : NULL;
}

/* As it came, whatever its scheme; NULL: none, or one that would run as a script where somebody makes a link of it. */
static const char *address(const char *uri, struct arena *a)
{
	static const char *const scripts[] = { "javascript", "vbscript", "data" };
	size_t scheme =
	    uri ? strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-") : 0;

	if (!scheme || uri[scheme] != ':')
		return NULL;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		if (scheme == strlen(scripts[i]) && strncasecmp(uri, scripts[i], scheme) == 0)
			return NULL;
	return clip(uri, URI_MOST, a);
}

/* Base64 as MIME has it. 0, or -1. */
static int decode(const char *text, struct result_file *ret, struct arena *a)
{
	size_t size = strlen(text), n = 0;
	char *plain;
	int bytes;

	if (size / 4 * 3 > RESULT_FILE_BYTES + 3)
		return -1;
	plain = arena_alloc(a, size + 1);
	for (; *text && *text != '='; text++)
		if (!strchr("\r\n", *text))
			plain[n++] = (char)(*text == '+' ? '-' : *text == '/' ? '_' : *text);
	ret->data = arena_alloc(a, n / 4 * 3 + 3);
	bytes = base64url_decode((void *)ret->data, n / 4 * 3 + 3, plain, n);
	ret->size = bytes > 0 ? (size_t)bytes : 0;
	return bytes > 0 && bytes <= RESULT_FILE_BYTES ? 0 : -1;
}

/* A resource that came whole: its text, or its bytes. */
static int read_resource(json_object *resource, struct result_file *ret, struct arena *a)
{
	const char *text = json_string(resource, "text"), *blob = json_string(resource, "blob");

	ret->kind = "file";
	ret->uri = address(json_string(resource, "uri"), a);
	ret->type = clip(json_string(resource, "mimeType"), TYPE_MOST, a);
	if (!text)
		return blob ? decode(blob, ret, a) : -1;
	ret->size = strlen(text);
	ret->data = arena_strdup(a, text);
	return ret->size <= RESULT_FILE_BYTES ? 0 : -1;
}

static int read_file(json_object *item, struct result_file *ret, struct arena *a)
{
	const char *kind = json_string(item, "type"), *data = json_string(item, "data");

	*ret = (struct result_file){ .name = clip(json_string(item, "name"), NAME_MOST, a),
		                     .type = clip(json_string(item, "mimeType"), TYPE_MOST, a) };
	if (kind && strcmp(kind, "resource") == 0)
		return read_resource(json_get(item, "resource"), ret, a);
	if (kind && strcmp(kind, "resource_link") == 0) {
		ret->kind = "link";
		ret->uri = address(json_string(item, "uri"), a);
		return ret->uri ? 0 : -1;
	}
	if (!kind || !data || (strcmp(kind, "image") != 0 && strcmp(kind, "audio") != 0))
		return -1;
	ret->kind = strcmp(kind, "image") == 0 ? "image" : "audio";
	return decode(data, ret, a);
}

size_t result_files(json_object *result, struct result_file list[RESULT_FILES], struct arena *a)
{
	json_object *content = json_get(result, "content");
	size_t n = json_object_is_type(content, json_type_array) ? json_object_array_length(content) : 0,
	       count = 0;

	for (size_t i = 0; i < n && count < RESULT_FILES; i++)
		count += read_file(json_object_array_get_idx(content, i), &list[count], a) == 0;
	return count;
}

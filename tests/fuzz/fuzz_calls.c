/*
 * Calls of tools as models and servers have them. The first byte says into pieces of which size the text is cut, and whether
 * calls must come as text: however it is cut, the same text passes and the same calls are found. Then the bytes are taken for
 * a schema, a line end, and arguments.
 */
/* links: svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/prompted.c svc-chat/model/markup.c svc-chat/model/markup_tags.c svc-chat/model/prompted_forms.c svc-chat/model/loose.c svc-chat/model/prompted_messages.c svc-chat/model/defuse.c svc-chat/tools/schema.c -lm */
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "svc-chat/model/prompted.h"
#include "svc-chat/tools/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *filtered(const char *bytes, size_t size, size_t piece, bool eager, struct arena *a)
{
	static const struct model_tool tools[] = { { "add", "adds", "{}" }, { "now", "", "{}" } };
	const struct model_request request = { .tools = tools, .tool_count = 2 };
	const struct model_call *made;
	struct prompted p;
	struct calls calls;
	struct text out;
	size_t n;

	calls_init(&calls, a);
	text_init(&out, a);
	prompted_init(&p, &calls, &request, eager, a);
	for (size_t at = 0; at < size; at += piece)
		prompted_feed(&p, bytes + at, size - at < piece ? size - at : piece, &out);
	prompted_end(&p, &out);
	made = calls_made(&calls, &n);
	if (n > CALLS_MAX || calls.bytes > CALLS_BYTES)
		abort();
	for (size_t i = 0; i < n; i++)
		text_addf(&out, "\n%s %s", made[i].name, made[i].arguments);
	return out.at;
}

static void check_schema(const char *text, size_t size, struct arena *a)
{
	OWN(json) json_object *schema = NULL, *value = NULL;
	const char *line = memchr(text, '\n', size);
	struct error err = { 0 };
	struct text why;

	if (!line || json_parse(text, (size_t)(line - text), &schema, &err) < 0 ||
	    json_parse(line + 1, size - (size_t)(line + 1 - text), &value, &err) < 0)
		return;
	text_init(&why, a);
	if (schema_check(schema, value, &why) != !why.length)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct arena a;
	bool eager;

	if (size < 2 || memchr(text, '\0', size - 1))
		return 0;
	eager = data[0] & 128;
	arena_init(&a, 0);
	if (strcmp(filtered(text, size - 1, size, eager, &a),
	           filtered(text, size - 1, 1 + data[0] % 64, eager, &a)) != 0)
		abort();
	check_schema(text, size - 1, &a);
	arena_done(&a);
	return 0;
}

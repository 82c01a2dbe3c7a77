#include "gateway/error_form.h"

#include <ctype.h>
#include <string.h>

#include "common/json/json.h"

static void add_string(struct text *out, const char *value)
{
	if (value)
		text_add_json(out, value, strlen(value));
	else
		text_adds(out, "null");
}

/* --- Ours --------------------------------------------------------------------------------------------------------- */

/* "settings.temperature" is ["body", "settings", "temperature"]; a number stands for a place in a list. */
static void add_location(struct text *out, const struct field_error *f)
{
	const char *at = f->field;

	text_addc(out, '[');
	add_string(out, f->where);
	while (*at) {
		size_t length = strcspn(at, ".");

		text_addc(out, ',');
		if (length && strspn(at, "0123456789") == length)
			text_add(out, at, length);
		else
			text_add_json(out, at, length);
		at += length + (at[length] == '.');
	}
	text_addc(out, ']');
}

static void add_fields(struct text *out, const struct field_error *f)
{
	text_adds(out, ",\"errors\":[");
	for (; f; f = f->next) {
		text_adds(out, "{\"loc\":");
		add_location(out, f);
		text_adds(out, ",\"msg\":");
		add_string(out, f->msg);
		text_adds(out, ",\"type\":");
		add_string(out, f->type);
		text_adds(out, f->next ? "}," : "}");
	}
	text_addc(out, ']');
}

/* The members of a JSON object that a service made: what stands between its braces. */
static void add_members(struct text *out, const char *object)
{
	const char *from = strchr(object, '{'), *to = strrchr(object, '}');

	if (!from || !to || to <= from)
		return;
	for (from++; from < to && isspace((unsigned char)*from);)
		from++;
	if (from == to)
		return;
	text_addc(out, ',');
	text_add(out, from, (size_t)(to - from));
}

static void add_detail(struct text *out, const struct error *err, const char *sentence, const char *extra)
{
	text_adds(out, "{\"detail\":");
	add_string(out, sentence);
	if (err->fields)
		add_fields(out, err->fields);
	else if (err->code == ERROR_INVALID) /* of no field in particular: a 422 has errors all the same */
		add_fields(out, &(struct field_error){ "body", "", sentence, "value_error", NULL });
	if (extra)
		add_members(out, extra);
	text_addc(out, '}');
}

/* --- Of others ---------------------------------------------------------------------------------------------------- */

/* "messages.0.content: is required" */
static void add_sentence(struct text *out, const struct error *err, const char *sentence)
{
	const struct field_error *f = err->fields;
	struct text whole;

	if (!f || !*f->field) {
		add_string(out, sentence);
		return;
	}
	text_init(&whole, out->arena);
	text_addf(&whole, "%s: %s", f->field, f->msg);
	text_add_json(out, whole.at, whole.length);
}

static void add_openai(struct text *out, const struct error *err, int status, const char *sentence,
                       const char *extra)
{
	static const struct {
		const char *type, *code; /* NULL: by the status; null */
	} words[ERROR_CODES] = {
		[ERROR_UNAUTHENTICATED] = { NULL, "invalid_api_key" },
		[ERROR_FORBIDDEN] = { "permission_error", "insufficient_permissions" },
		[ERROR_TOO_MANY] = { "rate_limit_error", "rate_limit_exceeded" },
	};
	const char *type = words[err->code].type;
	OWN(json) json_object *given = NULL;
	struct error ignored = { 0 };
	const char *param, *code;

	if (extra && json_parse(extra, strlen(extra), &given, &ignored) < 0)
		given = NULL;
	param = given ? json_string(given, "param") : err->fields ? err->fields->field : NULL;
	code = given ? json_string(given, "code") : words[err->code].code;
	text_adds(out, "{\"error\":{\"message\":");
	add_sentence(out, err, sentence);
	text_addf(out, ",\"type\":\"%s\"",
	          type           ? type
	          : status < 500 ? "invalid_request_error"
	                         : "server_error");
	text_adds(out, ",\"param\":");
	add_string(out, param && *param ? param : NULL);
	text_adds(out, ",\"code\":");
	add_string(out, code);
	text_adds(out, "}}");
}

static void add_jsonrpc(struct text *out, const struct error *err, int status, const char *sentence)
{
	int code = err->code == ERROR_MALFORMED ? -32700 : status < 500 ? -32600 : -32603;

	text_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":%d,\"message\":", code);
	add_sentence(out, err, sentence);
	text_adds(out, "}}");
}

void error_form(enum error_form form, const struct error *err, int status, const char *extra,
                struct text *out)
{
	const char *sentence = err->message[0] ? err->message : "something went wrong on our side";

	switch (form) {
	case ERRORS_DETAIL: add_detail(out, err, sentence, extra); break;
	case ERRORS_OPENAI: add_openai(out, err, status, sentence, extra); break;
	case ERRORS_JSONRPC: add_jsonrpc(out, err, status, sentence); break;
	}
}

#include <string.h>

#include "common/json/json.h"
#include "svc-chat/model/loose.h"
#include "svc-chat/model/markup_body.h"

/* Past "antml:", "minimax:" and "｜DSML｜" before a tag's name. */
static const char *skip_space_of_names(const char *at, const char *end)
{
	static const char *const before[] = { "antml:", "minimax:", "DSML", "｜", "‖", "|", NULL };
	enum { MOST = 5 }; /* "｜｜DSML｜｜" */

	for (int i = 0; i < MOST; i++)
		at += markup_one_of(before, at, end);
	return at;
}

enum tag markup_tag(const char *at, const char *end, const char **behind, const char **name, struct arena *a)
{
	static const struct {
		const char *word;
		enum tag open, close;
	} tags[] = { { "function", TAG_CALL, TAG_END },
		     { "invoke", TAG_CALL, TAG_END },
		     { "parameter", TAG_VALUE, TAG_VALUE_END },
		     { "param", TAG_VALUE, TAG_VALUE_END } };
	const char *word, *stop, *from;
	bool closes;

	if (at >= end || *at != '<')
		return TAG_NONE;
	closes = at + 1 < end && at[1] == '/';
	word = skip_space_of_names(at + 1 + closes, end);
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		size_t size = strlen(tags[i].word);

		if ((size_t)(end - word) <= size || memcmp(word, tags[i].word, size) != 0 ||
		    !strchr(closes ? ">" : "= ", word[size]) || !word[size])
			continue;
		from = word + size;
		stop = memchr(from, '>', (size_t)(end - from) < 200 ? (size_t)(end - from) : 200);
		if (!stop)
			return TAG_NONE;
		*behind = stop + 1;
		if (closes)
			return tags[i].close;
		if (*from == ' ' && strncmp(from, " name=", 6) == 0)
			from += 5;
		if (*from != '=')
			return TAG_NONE;
		from += strspn(from, "= \"'");
		if (name)
			*name = arena_strndup(a, from, strcspn(from, "\"'>"));
		return tags[i].open;
	}
	return TAG_NONE;
}

/* The schema lets it be of that type: "type": "string", or one of a list, or one of its alternatives. */
static bool may_be(json_object *schema, const char *type, int depth)
{
	static const char *const keys[] = { "type", "anyOf", "oneOf" };

	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
		json_object *value = json_get(schema, keys[k]);
		size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
		const char *one = json_string(schema, keys[k]);

		if (one && strcmp(one, type) == 0)
			return true;
		for (size_t i = 0; i < n; i++) {
			json_object *item = json_object_array_get_idx(value, i);

			one = json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
			if (strcmp(one, type) == 0 || (depth < 4 && may_be(item, type, depth + 1)))
				return true;
		}
	}
	return false;
}

/* A text is meant, whatever it looks like. */
static bool wants_text(json_object *schema, const char *name, const char *value, size_t size)
{
	json_object *property = json_get(json_get(schema, "properties"), name);
	bool null = size == 4 && (memcmp(value, "null", 4) == 0 || memcmp(value, "None", 4) == 0);

	return may_be(property, "string", 0) && !(null && may_be(property, "null", 0));
}

/* A value between two tags. One line end at each side is the tags'. */
static void add_argument(struct text *ret, json_object *schema, const char *name, const char *from,
                         const char *to, struct arena *a)
{
	const char *at;
	struct text value;

	from += to - from > 0 && *from == '\r';
	from += to - from > 0 && *from == '\n';
	to -= to - from > 0 && to[-1] == '\n';
	to -= to - from > 0 && to[-1] == '\r';
	text_adds(ret, ret->length > 1 ? "," : "");
	text_add_json(ret, name, strlen(name));
	text_addc(ret, ':');
	text_init(&value, a);
	at = from;
	if (!wants_text(schema, name, from, (size_t)(to - from)) && loose_value(&at, to, &value) &&
	    loose_skip(at, to) == to)
		text_add(ret, value.at, value.length);
	else
		text_add_json(ret, from, (size_t)(to - from));
}

/* Where a value ends that nothing may close. */
static const char *value_end(struct body *b, const char *from)
{
	for (const char *at = from; at < b->end; at++) {
		const char *behind = NULL;
		enum tag tag = *at == '<' ? markup_tag(at, b->end, &behind, NULL, NULL) : TAG_NONE;

		if (tag == TAG_NONE || tag == TAG_CALL)
			continue;
		b->at = tag == TAG_VALUE_END ? behind : at;
		return at;
	}
	b->at = b->end;
	return b->end;
}

static json_object *schema_of(const struct markup *m, const char *name)
{
	const struct model_tool *tool = markup_tool(m, name);
	json_object *schema = NULL;
	struct error ignored = { 0 };

	if (tool && json_parse(tool->schema, strlen(tool->schema), &schema, &ignored) < 0)
		return NULL;
	return schema;
}

bool markup_tagged(struct body *b, const char *name)
{
	OWN(json) json_object *schema = schema_of(b->m, name);
	const char *behind, *key, *arguments = NULL;
	struct text object;
	enum tag tag;

	text_init(&object, b->m->arena);
	text_addc(&object, '{');
	b->at = loose_skip(b->at, b->end);
	if (b->at < b->end && *b->at == '{' && !(arguments = markup_value(b)))
		return false;
	for (;;) {
		b->at = loose_skip(b->at, b->end);
		tag = markup_tag(b->at, b->end, &behind, &key, b->m->arena);
		if (tag != TAG_VALUE)
			break;
		add_argument(&object, schema, key, behind, value_end(b, behind), b->m->arena);
	}
	if (tag == TAG_END)
		b->at = behind;
	text_addc(&object, '}');
	return (tag != TAG_NONE || b->at == b->end) &&
	       markup_call(b->m, name, arguments ? arguments : object.at);
}

bool markup_pairs(struct body *b, const char *name)
{
	static const char key[] = "<arg_key>", key_end[] = "</arg_key>", value[] = "<arg_value>",
	                  value_end_[] = "</arg_value>";
	OWN(json) json_object *schema = schema_of(b->m, name);
	struct text object;

	text_init(&object, b->m->arena);
	text_addc(&object, '{');
	for (b->at = loose_skip(b->at, b->end);
	     (size_t)(b->end - b->at) >= sizeof key && memcmp(b->at, key, sizeof key - 1) == 0;
	     b->at = loose_skip(b->at, b->end)) {
		const char *from = b->at + sizeof key - 1;
		const char *to = memmem(from, (size_t)(b->end - from), key_end, sizeof key_end - 1), *stop;

		if (!to)
			return false;
		b->at = loose_skip(to + sizeof key_end - 1, b->end);
		if ((size_t)(b->end - b->at) < sizeof value || memcmp(b->at, value, sizeof value - 1) != 0)
			return false;
		b->at += sizeof value - 1;
		stop = memmem(b->at, (size_t)(b->end - b->at), value_end_, sizeof value_end_ - 1);
		add_argument(&object, schema, arena_strndup(b->m->arena, from, (size_t)(to - from)), b->at,
		             stop ? stop : b->end, b->m->arena);
		b->at = stop ? stop + sizeof value_end_ - 1 : b->end;
	}
	text_addc(&object, '}');
	return markup_call(b->m, name, object.at);
}

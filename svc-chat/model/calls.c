#include "svc-chat/model/calls.h"

#include <string.h>

#include "common/json/json.h"
#include "svc-chat/model/extent.h"

void calls_init(struct calls *c, struct arena *a)
{
	*c = (struct calls){ .arena = a };
}

static struct pending_call *begin(struct calls *c, const struct call_piece *piece)
{
	struct pending_call *call;

	if (c->count == CALLS_MAX) {
		c->cut = true;
		return NULL;
	}
	call = &c->at[c->count++];
	call->index = piece->index;
	text_init(&call->name, c->arena);
	text_init(&call->arguments, c->arena);
	return call;
}

static bool has(const char *text)
{
	return text && *text;
}

/* Its arguments are an object from beginning to end: nothing can belong to them any more. */
static bool is_whole(const struct pending_call *call)
{
	const struct text *t = &call->arguments;

	return t->length && t->at[t->length - 1] == '}' && extent_of(t->at, t->length) == t->length;
}

static bool begins_arguments(const struct call_piece *piece)
{
	return has(piece->arguments) && *piece->arguments == '{';
}

/* "{}" comes first from some, before what is really meant. */
static bool was_no_more_than_a_place(const struct pending_call *call, const struct call_piece *piece)
{
	return begins_arguments(piece) && !has(piece->name) && strcmp(call->arguments.at, "{}") == 0;
}

/* The same once more: some end with all that they have said. */
static bool repeats(const struct pending_call *call, const struct call_piece *piece)
{
	return has(piece->id) && call->id && strcmp(piece->id, call->id) == 0 && begins_arguments(piece) &&
	       strcmp(piece->arguments, call->arguments.at) == 0 && is_whole(call);
}

/* All that there is so far, and more: where it stands now no object can begin. */
static bool grows(const struct pending_call *call, const struct call_piece *piece)
{
	const struct text *t = &call->arguments;
	size_t end = t->length;

	while (end && strchr(" \t\r\n", t->at[end - 1]))
		end--;
	return end > 1 && *t->at == '{' && (call->grew || !strchr(":[,", t->at[end - 1])) &&
	       has(piece->arguments) && strncmp(piece->arguments, t->at, t->length) == 0;
}

/* The piece begins another call than this one. */
static bool differs(const struct pending_call *call, const struct call_piece *piece)
{
	if (begins_arguments(piece) && is_whole(call))
		return true;
	if (has(piece->id) && call->id && has(piece->name)) /* some number each piece anew */
		return strcmp(piece->id, call->id) != 0;
	return piece->index < 0 && has(piece->name) && call->name.length &&
	       (call->arguments.length || strcmp(piece->name, call->name.at) != 0);
}

static struct pending_call *find(struct calls *c, const struct call_piece *piece)
{
	for (size_t i = c->count; i-- > 0;) {
		struct pending_call *call = &c->at[i];

		if (piece->index >= 0 ? call->index == piece->index
		                      : !has(piece->id) || !call->id || strcmp(call->id, piece->id) == 0)
			return call;
	}
	/* A number that nobody has heard of, and nothing that begins a call: more of the last one's arguments. */
	if (c->count && !has(piece->id) && !has(piece->name) && !is_whole(&c->at[c->count - 1]))
		return &c->at[c->count - 1];
	return NULL;
}

/* Room for so much more. */
static size_t fits(struct calls *c, size_t size)
{
	size_t room = CALLS_BYTES - c->bytes;

	if (size > room) {
		c->cut = true;
		size = room;
	}
	c->bytes += size;
	return size;
}

void calls_take(struct calls *c, const struct call_piece *piece)
{
	struct pending_call *call = find(c, piece);

	if (call && repeats(call, piece))
		return;
	if (call && (was_no_more_than_a_place(call, piece) || (!is_whole(call) && grows(call, piece)))) {
		call->grew |= call->arguments.length > 2;
		call->arguments.length = 0;
	} else if (!call || differs(call, piece)) {
		call = begin(c, piece);
	}
	if (!call)
		return;
	if (has(piece->id) && !call->id)
		call->id = arena_strdup(c->arena, piece->id);
	if (has(piece->name) && strcmp(piece->name, call->name.at) != 0)
		text_add(&call->name, piece->name, fits(c, strlen(piece->name)));
	if (has(piece->arguments))
		text_add(&call->arguments, piece->arguments, fits(c, strlen(piece->arguments)));
}

/* --- What was made of them --------------------------------------------------------------------------------------------- */

/* As it was offered: "functions.add:0" and "add<|channel|>commentary" are how models see it. Names have no such signs. */
static const char *plain_name(struct calls *c, const char *name)
{
	static const char prefix[] = "functions.";
	const char *mark = strstr(name, "<|");

	name += strspn(name, " \t\r\n");
	name = arena_strndup(c->arena, name, mark && mark > name ? (size_t)(mark - name) : strlen(name));
	name += strncmp(name, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
	return arena_strndup(c->arena, name, strcspn(name, ": \t\r\n"));
}

/* Arguments that were made a text once too often: "\"{\\\"a\\\":1}\"". */
static const char *unpacked(struct calls *c, const char *arguments)
{
	OWN(json) json_object *value = NULL;
	struct error ignored = { 0 };

	if (*arguments != '"' || json_parse(arguments, strlen(arguments), &value, &ignored) < 0 ||
	    !json_object_is_type(value, json_type_string) || *json_object_get_string(value) != '{')
		return arguments;
	return arena_strdup(c->arena, json_object_get_string(value));
}

/* An object in a fence, or with marks behind it: the object. */
static const char *bare(struct calls *c, const char *arguments)
{
	const char *object = strncmp(arguments, "```", 3) == 0 ? strchr(arguments, '{') : arguments, *behind;
	size_t size = object ? extent_of(object, strlen(object)) : 0;

	if (!size)
		return arguments;
	behind = object + size + strspn(object + size, " \t\r\n");
	return *behind == '<' || *behind == '`' ? arena_strndup(c->arena, object, size) : arguments;
}

static const char *arguments_of(struct calls *c, const struct pending_call *call)
{
	const char *arguments = call->arguments.at + strspn(call->arguments.at, " \t\r\n");

	return *arguments && strcmp(arguments, "null") != 0 ? bare(c, unpacked(c, arguments)) : "{}";
}

static bool same_json(const char *a, const char *b)
{
	OWN(json) json_object *x = NULL, *y = NULL;
	struct error ignored = { 0 };

	return json_parse(a, strlen(a), &x, &ignored) == 0 && json_parse(b, strlen(b), &y, &ignored) == 0 &&
	       json_object_equal(x, y);
}

/* Some servers tell a call that they have found in the text, and leave it there. */
static bool is_told_twice(const struct calls *c, const struct pending_call *call,
                          const struct model_call *made, const struct model_call *list, size_t count)
{
	bool both = false;

	for (size_t i = 0; i < c->count; i++)
		both |= (c->at[i].index >= CALLS_TOLD) != (call->index >= CALLS_TOLD);
	for (size_t i = 0; both && i < count; i++)
		if (strcmp(list[i].name, made->name) == 0 && same_json(list[i].arguments, made->arguments))
			return true;
	return false;
}

/* Each its own: some give all calls the same, or none. */
static const char *id_of(struct calls *c, const char *id, const struct model_call *before, size_t count)
{
	for (size_t i = 0; id && i < count; i++)
		if (strcmp(before[i].id, id) == 0)
			id = NULL;
	return id ? id : arena_printf(c->arena, "call_%zu", count);
}

const struct model_call *calls_made(struct calls *c, size_t *count)
{
	struct model_call *list = arena_new(c->arena, struct model_call, c->count);

	*count = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct pending_call *call = &c->at[i];

		if (!call->name.length)
			continue;
		list[*count] = (struct model_call){
			.id = id_of(c, call->id, list, *count),
			.name = plain_name(c, call->name.at),
			.arguments = arguments_of(c, call),
		};
		*count += !is_told_twice(c, call, &list[*count], list, *count);
	}
	return list;
}

#include "svc-chat/model/calls.h"

#include <string.h>

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

/* The piece begins another call than this one. */
static bool differs(const struct pending_call *call, const struct call_piece *piece)
{
	if (has(piece->id) && call->id)
		return strcmp(piece->id, call->id) != 0;
	return piece->index < 0 && has(piece->name) && call->arguments.length > 0;
}

static struct pending_call *find(struct calls *c, const struct call_piece *piece)
{
	for (size_t i = c->count; i-- > 0;) {
		struct pending_call *call = &c->at[i];

		if (piece->index >= 0 ? call->index == piece->index
		                      : !has(piece->id) || !call->id || strcmp(call->id, piece->id) == 0)
			return differs(call, piece) ? NULL : call;
	}
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

	if (!call)
		call = begin(c, piece);
	if (!call)
		return;
	if (has(piece->id) && !call->id)
		call->id = arena_strdup(c->arena, piece->id);
	if (has(piece->name) && strcmp(piece->name, call->name.at) != 0)
		text_add(&call->name, piece->name, fits(c, strlen(piece->name)));
	if (has(piece->arguments))
		text_add(&call->arguments, piece->arguments, fits(c, strlen(piece->arguments)));
}

const struct model_call *calls_made(const struct calls *c, size_t *count)
{
	struct model_call *list = arena_new(c->arena, struct model_call, c->count);

	*count = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct pending_call *call = &c->at[i];
		const char *arguments = call->arguments.at + strspn(call->arguments.at, " \t\r\n");

		if (!call->name.length)
			continue;
		list[*count] = (struct model_call){
			.id = call->id ? call->id : arena_printf(c->arena, "call_%zu", *count),
			.name = call->name.at,
			.arguments = *arguments && strcmp(arguments, "null") != 0 ? arguments : "{}",
		};
		(*count)++;
	}
	return list;
}

#include "svc-chat/tools/name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/text.h"

enum { SUFFIX = 8 };

void tool_names_init(struct tool_names *names, struct arena *a)
{
	*names = (struct tool_names){ .arena = a };
}

static void add_clean(struct text *t, const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	for (; *text; text++) {
		bool fits = strchr(allowed, *text) != NULL;

		if (fits || !t->length || t->at[t->length - 1] != '_')
			text_addc(t, fits ? *text : '_');
	}
}

static bool is_taken(const struct tool_names *names, const char *name)
{
	uint32_t hash = fnv1a(name);

	for (size_t i = 0; i < names->count; i++)
		if (names->hashes[i] == hash && strcmp(names->taken[i], name) == 0)
			return true;
	return false;
}

static void take(struct tool_names *names, const char *name)
{
	if (names->count == names->room) {
		const char **more = arena_new(names->arena, const char *, 2 * names->room + 64);
		uint32_t *hashes = arena_new(names->arena, uint32_t, 2 * names->room + 64);

		if (names->count) {
			memcpy(more, names->taken, names->count * sizeof *more);
			memcpy(hashes, names->hashes, names->count * sizeof *hashes);
		}
		names->taken = more;
		names->hashes = hashes;
		names->room = 2 * names->room + 64;
	}
	names->hashes[names->count] = fnv1a(name);
	names->taken[names->count++] = name;
}

const char *tool_name(struct tool_names *names, const char *server, const char *tool)
{
	struct text whole;
	const char *name;

	text_init(&whole, names->arena);
	if (strncmp(tool, "mcp_", 4) != 0) {
		text_adds(&whole, "mcp_");
		add_clean(&whole, server);
		text_addc(&whole, '_');
	}
	add_clean(&whole, tool);
	/* What is cut ends with a mark of the whole, so that two long names stay two. */
	name = whole.length <= TOOL_NAME_MOST
	           ? whole.at
	           : arena_printf(names->arena, "%.*s_%07x", TOOL_NAME_MOST - SUFFIX, whole.at,
	                          fnv1a(whole.at) & 0xfffffff);
	for (int n = 2; is_taken(names, name); n++) {
		char mark[16];
		int size = snprintf(mark, sizeof mark, "_%d", n);

		name = arena_printf(names->arena, "%.*s%s", TOOL_NAME_MOST - size, whole.at, mark);
	}
	take(names, name);
	return name;
}

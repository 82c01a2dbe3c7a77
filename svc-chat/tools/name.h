/*
 * tools/name: what a model calls the tools of many servers: mcp_<server>_<tool>, of letters, digits, '_' and '-', at most 64
 * long (what OpenAI-style endpoints take), each name once. A tool that begins with mcp_ keeps its name.
 */
#ifndef PARLEY_TOOLS_NAME_H
#define PARLEY_TOOLS_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

enum { TOOL_NAME_MOST = 64 };

struct tool_names {
	const char **taken;
	uint32_t *hashes; /* of them: there may be many hundreds */
	size_t count, room;
	struct arena *arena;
};
void tool_names_init(struct tool_names *names, struct arena *a);

/* The name for the next tool. Asked in the same order, the same names come out. */
const char *tool_name(struct tool_names *names, const char *server, const char *tool);

#endif

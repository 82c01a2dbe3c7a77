/*
 * tools/toolbox: the tools of all of a user's servers, by the names that models see, and what their user says of each.
 *
 * A tool is called without asking when its user said so, or said nothing and the server marks it as only reading. What was
 * said of a tool holds for its description, schema and hints as they were then: one that has changed asks again. Nobody has
 * to have said anything: one that the server lists otherwise than before asks, too.
 */
#ifndef PARLEY_TOOLS_TOOLBOX_H
#define PARLEY_TOOLS_TOOLBOX_H

#include "svc-chat/tools/servers.h"

struct tool {
	const char *name;                /* as models see it */
	const char *own_name;            /* as its server has it */
	const struct server_row *server; /* NULL: it is built in */
	const char *title, *description; /* may be NULL */
	const char *schema;              /* JSON object */
	const char *annotations;         /* JSON object, or NULL */
	const char *digest;              /* of what was just said */
	const char *policy;              /* "allow", "ask", "deny" */
	bool read_only, repeatable;      /* repeatable: twice is as good as once */
};
struct toolbox {
	struct tool *tools; /* of servers that answer, the oldest server's first */
	size_t count;
};

/* session: in which they are called, where more may be allowed; NULL: none. Everything is in the call's arena. */
int toolbox_fill(struct call *call, const struct server_row *rows, size_t count, const char *session,
                 struct toolbox *ret) CHECKED;
/* NULL: there is none of that name. */
const struct tool *toolbox_find(const struct toolbox *box, const char *name);

/* The list of a server's tools as it is now, with a mark on those that were otherwise before. */
const char *toolbox_mark_changes(const char *before, const char *now, struct arena *a);

#endif

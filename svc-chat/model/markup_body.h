/* markup_body: what the files of markup.h share. Nobody else includes it. */
#ifndef PARLEY_CHAT_MARKUP_BODY_H
#define PARLEY_CHAT_MARKUP_BODY_H

#include <json-c/json.h>

#include "svc-chat/model/markup.h"

/* What is read of it, up to `end`. */
struct body {
	const struct markup *m;
	const char *at, *end;
};

const struct model_tool *markup_tool(const struct markup *m, const char *name); /* NULL: there is none such */
bool markup_call(const struct markup *m, const char *name,
                 const char *arguments); /* it may be called, and is */
/* The value that begins here, as JSON; NULL: none does. */
const char *markup_value(struct body *b);
/* The size of the first of the list that begins here; 0: none. */
size_t markup_one_of(const char *const *list, const char *at, const char *end);

/* markup_tags.c */
enum tag { TAG_NONE, TAG_CALL, TAG_END, TAG_VALUE, TAG_VALUE_END };
/* The tag that begins at `at`; *behind: its end; *name (may be NULL): what it names ("function=x", "invoke name=\"x\""). */
enum tag markup_tag(const char *at, const char *end, const char **behind, const char **name, struct arena *a);
/* <function=name> was read: its parameters, or one object, up to its end. */
bool markup_tagged(struct body *b, const char *name);
/* GLM's pairs: <arg_key>a</arg_key><arg_value>x</arg_value>. */
bool markup_pairs(struct body *b, const char *name);

#endif

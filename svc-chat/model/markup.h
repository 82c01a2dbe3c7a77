/*
 * markup: the calls of tools in what a model has written between its marks, or behind them, in the spellings of many.
 *
 * Objects of JSON, or nearly (loose.h), that have a name ("name", "tool", "function") and arguments ("arguments",
 * "parameters", "args", "input"), or lists of them; a name and its arguments: name{...}, name({...}), name(a='x'),
 * name[ARGS]{...}, and with the marks of Kimi and DeepSeek between them; tags: Qwen's <function=name><parameter=a>x</parameter>
 * </function>, <invoke name="name"><parameter name="a">, GLM's name<arg_key>a</arg_key><arg_value>x</arg_value>. What stands in
 * a tag is a text where the tool's schema wants one there, and else read for what it is: a number, a list.
 */
#ifndef PARLEY_CHAT_MARKUP_H
#define PARLEY_CHAT_MARKUP_H

#include "svc-chat/model/calls.h"

struct markup {
	struct calls *calls;
	const struct model_tool *tools; /* that may be called */
	size_t tool_count;
	bool eager;  /* others, too: the model will be told that there is none such */
	bool surely; /* a name alone is a call, too, or one with what are no arguments */
	struct arena *arena;
};

/* All calls of a text, which holds nothing else; false: it holds something else, and none is taken. */
bool markup_take(const struct markup *m, const char *text, size_t size);

#endif

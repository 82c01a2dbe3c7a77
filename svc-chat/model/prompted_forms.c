#include "svc-chat/model/prompted_forms.h"

#include <ctype.h>
#include <string.h>

enum { WASTED_MOST = 1 << 20 /* bytes that were no calls after all: then nothing more is taken for one */ };

#define DSML(bar)                                                                     \
	{ "<" bar "function_calls>", "</" bar "function_calls>", WRAPPED, ANYWHERE }, \
	    { "<" bar "tool_calls>", "</" bar "tool_calls>", WRAPPED, ANYWHERE },     \
	    { "<" bar "invoke", "</" bar "invoke>", WHOLE, ANYWHERE },                \
	{                                                                             \
		"</" bar "tool_calls>", NULL, CLOSER, ANYWHERE                        \
	}

const struct form prompted_form[] = {
	[0] = { "", NULL, BARE, AT_START },
	{ "<tool_call>", "</tool_call>", WRAPPED, ANYWHERE }, /* Hermes, Qwen, GLM */
	{ "<function_call>", "</function_call>", WRAPPED, ANYWHERE },
	{ "<tool_calls>", "</tool_calls>", WRAPPED, ANYWHERE }, /* Hunyuan, Jamba */
	{ "<TOOLCALL>", "</TOOLCALL>", WRAPPED, ANYWHERE },     /* Nemotron */
	{ "<seed:tool_call>", "</seed:tool_call>", WRAPPED, ANYWHERE },
	{ "<minimax:tool_call>", "</minimax:tool_call>", WRAPPED, ANYWHERE },
	{ "<longcat_tool_call>", "</longcat_tool_call>", WRAPPED, ANYWHERE },
	{ "<function_calls>", "</function_calls>", WRAPPED, ANYWHERE },
	{ "<antml:function_calls>", "</antml:function_calls>", WRAPPED, ANYWHERE },
	{ "<invoke name=", "</invoke>", WHOLE, ANYWHERE },
	{ "<antml:invoke name=", "</antml:invoke>", WHOLE, ANYWHERE },
	{ "<function=", "</function>", WHOLE, ANYWHERE }, /* Qwen's, and Functionary's */
	DSML("｜DSML｜"),
	DSML("｜｜DSML｜｜"),
	DSML("‖DSML‖"),
	DSML("|DSML|"), /* DeepSeek */
	{ "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", WRAPPED, ANYWHERE },
	{ "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", WRAPPED, ANYWHERE },
	{ "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", WRAPPED, ANYWHERE }, /* Kimi */
	{ "<|tool_call_begin|>", "<|tool_call_end|>", WRAPPED, ANYWHERE },
	{ "<|tool_call_start|>", "<|tool_call_end|>", WRAPPED, ANYWHERE }, /* Liquid */
	{ "<|python_start|>", "<|python_end|>", WRAPPED, ANYWHERE },       /* Llama 4 */
	{ "<|START_ACTION|>", "<|END_ACTION|>", WRAPPED, ANYWHERE },       /* Command */
	{ "<|action_start|><|plugin|>", "<|action_end|>", WRAPPED, ANYWHERE },
	{ "<|tool_call>", "<tool_call|>", WRAPPED, ANYWHERE }, /* Gemma */
	{ "<start_function_call>", "<end_function_call>", WRAPPED, ANYWHERE },
	{ "function call:", NULL, OBJECT, AT_LINE },
	{ "tool call:", NULL, OBJECT, AT_LINE },
	{ "[TOOL_CALLS]", NULL, OBJECT, ANYWHERE },   /* Mistral */
	{ "<|python_tag|>", NULL, OBJECT, ANYWHERE }, /* Llama */
	{ "<|tool_call|>", NULL, OBJECT, ANYWHERE },  /* Granite */
	{ "functools", NULL, OBJECT, AT_START },      /* Phi */
	{ "{", NULL, BARE, AT_START },
	{ "[", NULL, BARE, AT_START },
	{ "</tool_call>", NULL, CLOSER, ANYWHERE },
	{ "</function>", NULL, CLOSER, ANYWHERE },
	{ "</function_calls>", NULL, CLOSER, ANYWHERE },
	{ "<|/tool_call|>", NULL, CLOSER, ANYWHERE },
	{ "```", "```", FENCED, AT_LINE },
};
enum { FORMS = sizeof prompted_form / sizeof *prompted_form };
_Static_assert((int)FORMS <= (int)PROMPTED_FORMS, "a place for each form");

const char *prompted_behind_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

int prompted_starts(const char *at, const char *with)
{
	for (; *with; at++, with++)
		if (!*at)
			return -1;
		else if (tolower((unsigned char)*at) != tolower((unsigned char)*with))
			return 0;
	return 1;
}

/* The word that begins here is a tool's, or may become one's; also those with which some begin. */
static int names_tool(const struct prompted *p, const char *at)
{
	static const char *const others[] = {
		"functions.", "function<", "function\n", "call:", "json", NULL
	};
	int best = 0;

	for (size_t i = 0; i < p->tool_count && best < 1; i++) {
		int one = prompted_starts(at, p->tools[i].name);

		best = one ? one : best;
	}
	for (const char *const *other = others; *other && best < 1; other++)
		best = prompted_starts(at, *other) ? prompted_starts(at, *other) : best;
	return best;
}

/* What stands behind a call's beginning may be one. */
static int may_be_call(const struct prompted *p, const char *at)
{
	if (p->eager)
		return 1;
	at = prompted_behind_blanks(at);
	if (!*at)
		return -1;
	return strchr("{[<`", *at) ? 1 : names_tool(p, at);
}

/* An answer that begins so is an object that is a call, or Python's list of calls. */
static int may_be_bare(const struct prompted *p, const char *at)
{
	static const char *const keys[] = { "\"name\"", "\"type\"",      "\"function\"",   "\"tool",
		                            "\"id\"",   "\"arguments\"", "\"parameters\"", NULL };
	bool list = *at == '[';
	int best = 0;

	at = prompted_behind_blanks(at + 1);
	if (list && *at == '{')
		at = prompted_behind_blanks(at + 1);
	else if (list && *at)
		return names_tool(p, at);
	if (!*at)
		return -1;
	for (const char *const *key = keys; *key && best < 1; key++)
		best = prompted_starts(at, *key) ? prompted_starts(at, *key) : best;
	return best;
}

static int begins_with(const struct prompted *p, const struct form *f)
{
	const char *at = p->held.at;
	int start;

	if ((f->place == AT_LINE && !p->line_start) || (f->place == AT_START && !p->at_start) ||
	    (f->kind == CLOSER && !p->behind) || (p->in_code && f->kind != FENCED) ||
	    (p->quoted && !p->eager))
		return 0;
	start = prompted_starts(at, f->start);
	if (start < 1)
		return start;
	switch (f->kind) {
	case WRAPPED: return may_be_call(p, at + strlen(f->start));
	case WHOLE: {
		const char *name = at + strcspn(at, "=>");

		return p->eager ? 1 : !*name ? -1 : names_tool(p, name + strspn(name, "=\"' "));
	}
	case BARE: return may_be_bare(p, at);
	case OBJECT: at += strlen(f->start); return f->place != AT_START || *at == '[' ? 1 : *at ? 0 : -1;
	default: return 1;
	}
}

int prompted_begins(const struct prompted *p)
{
	int best = 0;

	if (p->wasted > WASTED_MOST)
		return 0;
	for (int f = 1; f < FORMS; f++) {
		int so = begins_with(p, &prompted_form[f]);

		if (so > 0)
			return f;
		best = so < 0 ? -1 : best;
	}
	return best;
}

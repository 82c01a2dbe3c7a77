#include "svc-chat/model/defuse.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* What begins with these, blanks and a slash left out, in any case: "<" becomes "&lt;", "[" becomes "&#91;". */
static const char *const starts[] = {
	"<passage",
	"<tool_", /* calls and results, as prompted.c has them, and as models are trained */
	"<function_call",
	"<|",
	"<｜", /* and its full-width kin, as DeepSeek has it */
	"<<sys",
	"<</sys",
	"<start_of_turn",
	"<end_of_turn",
	"<bos>",
	"<eos>",
	"<s>",
	"<unk>",
	"<pad>",
	"<system>",
	"<assistant>",
	"<human>",
	"[inst]",
	"[system_prompt]",
	"[available_tools]",
	"[tool_calls]",
};

static bool begins(const char *at, const char *end, const char *start)
{
	if (*at++ != *start++)
		return false;
	while (at < end && (*at == ' ' || *at == '\t' || *at == '/'))
		at++;
	return (size_t)(end - at) >= strlen(start) && strncasecmp(at, start, strlen(start)) == 0;
}

static bool is_dangerous(const char *at, const char *end)
{
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (begins(at, end, starts[i]))
			return true;
	return false;
}

void defuse_text(const char *text, size_t size, struct text *ret)
{
	const char *end = text + size;
	const char *from = text; /* what is harmless goes on in one piece */

	for (const char *at = text; at < end; at++) {
		if ((*at != '<' && *at != '[') || !is_dangerous(at, end))
			continue;
		text_add(ret, from, (size_t)(at - from));
		text_adds(ret, *at == '<' ? "&lt;" : "&#91;");
		from = at + 1;
	}
	text_add(ret, from, (size_t)(end - from));
}

void defuse_name(const char *name, struct text *ret)
{
	for (; *name; name++)
		text_addc(ret, strchr("\"<>[]", *name) || (unsigned char)*name < 0x20 || *name == 0x7f
		                   ? ' '
		                   : *name);
}

#include "common/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *t, struct arena *a)
{
	*t = (struct text){ .arena = a, .room = 256, .at = arena_room(a, 256) };
	t->at[0] = '\0';
}

static char *reserve(struct text *t, size_t more)
{
	size_t room = t->room;
	char *bigger;

	while (room - t->length <= more)
		room *= 2;
	if (room != t->room) {
		bigger = arena_room(t->arena, room);
		memcpy(bigger, t->at, t->length + 1);
		t->at = bigger;
		t->room = room;
	}
	return t->at + t->length;
}

void text_add(struct text *t, const void *bytes, size_t length)
{
	if (!length)
		return;
	memcpy(reserve(t, length), bytes, length);
	t->length += length;
	t->at[t->length] = '\0';
}

void text_adds(struct text *t, const char *string)
{
	text_add(t, string, strlen(string));
}

void text_addc(struct text *t, char c)
{
	text_add(t, &c, 1);
}

void text_addf(struct text *t, const char *format, ...)
{
	size_t room = t->room - t->length;
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(t->at + t->length, room, format, args); /* mostly it fits */
	if (length > 0 && (size_t)length >= room)
		vsnprintf(reserve(t, (size_t)length), (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	if (length > 0)
		t->length += (size_t)length;
}

/* What stands behind the backslash; 'u' for \u00xx, 0 for what needs no escape. */
static const char escapes[256] = {
	[0 ... 8] = 'u',   ['\t'] = 't', ['\n'] = 'n',  [11 ... 12] = 'u', ['\r'] = 'r',
	[14 ... 31] = 'u', ['"'] = '"',  ['\\'] = '\\', [0x7f] = 'u',
};

void text_add_json(struct text *t, const char *string, size_t length)
{
	size_t plain = 0; /* start of the run that needs no escape */

	text_addc(t, '"');
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)string[i];

		if (!escapes[c])
			continue;
		text_add(t, string + plain, i - plain);
		if (escapes[c] == 'u')
			text_addf(t, "\\u%04x", c);
		else
			text_add(t, (char[]){ '\\', escapes[c] }, 2);
		plain = i + 1;
	}
	text_add(t, string + plain, length - plain);
	text_addc(t, '"');
}

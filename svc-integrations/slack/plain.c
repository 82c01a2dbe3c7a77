#include "svc-integrations/slack/plain.h"

#include <string.h>

#include "common/base/text.h"

static const struct {
	const char *entity;
	char means;
} entities[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' } };

/* The character there, as it was typed; how long it is in the text. */
static size_t add_typed(struct text *out, const char *at)
{
	for (size_t i = 0; *at == '&' && i < sizeof entities / sizeof *entities; i++)
		if (strncmp(at, entities[i].entity, strlen(entities[i].entity)) == 0) {
			text_addc(out, entities[i].means);
			return strlen(entities[i].entity);
		}
	text_addc(out, *at);
	return 1;
}

static void add_all_typed(struct text *out, const char *at, size_t length)
{
	for (const char *end = at + length; at < end;)
		at += add_typed(out, at);
}

/* What stands between the brackets: "@U1", and what it is called, or nothing. */
struct mark {
	const char *what, *label;
	size_t what_length, label_length;
};

/* The mark there, if it is one; its whole length, or 0. */
static size_t read_mark(const char *at, struct mark *ret)
{
	size_t length = *at == '<' ? strcspn(at + 1, "<>") : 0;
	const char *bar;

	if (length == 0 || at[1 + length] != '>')
		return 0;
	*ret = (struct mark){ .what = at + 1, .label = "", .what_length = length };
	bar = memchr(at + 1, '|', length);
	if (bar) {
		ret->what_length = (size_t)(bar - ret->what);
		ret->label = bar + 1;
		ret->label_length = length - ret->what_length - 1;
	}
	return length + 2;
}

static bool is_user(const struct mark *m, const char *user)
{
	return user && *user && m->what_length == strlen(user) + 1 && *m->what == '@' &&
	       strncmp(m->what + 1, user, strlen(user)) == 0;
}

/* "@U1" or, with a name, "@name"; of groups the name has its "@" already. */
static void add_name(struct text *out, char sign, const struct mark *m)
{
	bool named = m->label_length > 0;

	if (!named || *m->label != sign)
		text_addc(out, sign);
	if (named)
		add_all_typed(out, m->label, m->label_length);
	else
		add_all_typed(out, m->what + 1, m->what_length - 1);
}

/* Where a link leads is said only where its words do not say so. */
static void add_link(struct text *out, const struct mark *m)
{
	const char *at = m->what;
	size_t length = m->what_length, scheme = 0;

	if (strncmp(at, "mailto:", 7) == 0)
		at += 7, length -= 7;
	for (size_t i = 0; i + 3 < length && !scheme; i++)
		scheme = strncmp(at + i, "://", 3) == 0 ? i + 3 : 0;
	if (m->label_length && (m->label_length != length || strncmp(m->label, at, length) != 0) &&
	    (m->label_length != length - scheme || strncmp(m->label, at + scheme, length - scheme) != 0)) {
		add_all_typed(out, m->label, m->label_length);
		text_adds(out, " (");
		add_all_typed(out, at, length);
		text_addc(out, ')');
		return;
	}
	add_all_typed(out, at, length);
}

static void add_mark(struct text *out, const struct mark *m, const char *bot_user)
{
	if (is_user(m, bot_user))
		return;
	switch (*m->what) {
	case '@':
	case '#': add_name(out, *m->what, m); return;
	case '!':
		if (m->label_length && strncmp(m->what, "!date", 5) == 0)
			add_all_typed(out, m->label, m->label_length);
		else
			add_name(out, '@', m);
		return;
	default: add_link(out, m);
	}
}

char *slack_plain(const char *text, const char *bot_user, struct arena *a)
{
	struct text out;
	struct mark m;

	text_init(&out, a);
	text_adds(&out, "");
	while (*text) {
		size_t length = read_mark(text, &m);

		if (length)
			add_mark(&out, &m, bot_user);
		text += length ? length : add_typed(&out, text);
	}
	while (out.length && strchr(" \t\r\n", out.at[out.length - 1]))
		out.at[--out.length] = 0;
	return out.at + strspn(out.at, " \t\r\n");
}

bool slack_mentions(const char *text, const char *bot_user)
{
	struct mark m;

	for (; (text = strchr(text, '<')) != NULL; text++)
		if (read_mark(text, &m) && is_user(&m, bot_user))
			return true;
	return false;
}

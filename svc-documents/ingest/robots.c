#include "svc-documents/ingest/robots.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"

enum { RULES_MAX = 64 * 1024, RULE_MAX = 1000, DELAY_MAX = 30 /* seconds */ };

static const char our_name[] = "parley";

/* --- Reading ---------------------------------------------------------------------------------------------------- */

struct line {
	const char *name, *value;
	size_t name_size, value_size;
};

static void trim(const char **s, size_t *size)
{
	while (*size && (**s == ' ' || **s == '\t')) {
		(*s)++;
		(*size)--;
	}
	while (*size && strchr(" \t\r", (*s)[*size - 1]))
		(*size)--;
}

/* "Name: value # remark" */
static bool read_line(const char *s, size_t size, struct line *ret)
{
	const char *remark = memchr(s, '#', size), *colon;

	size = remark ? (size_t)(remark - s) : size;
	colon = memchr(s, ':', size);
	if (!colon)
		return false;
	*ret = (struct line){ s, colon + 1, (size_t)(colon - s), size - (size_t)(colon + 1 - s) };
	trim(&ret->name, &ret->name_size);
	trim(&ret->value, &ret->value_size);
	return true;
}

static bool is(const struct line *l, const char *name)
{
	return l->name_size == strlen(name) && strncasecmp(l->name, name, l->name_size) == 0;
}

/* What groups say: those for us, and those for everybody. */
struct group {
	struct text rules;
	bool named;
	int delay_ms;
};

/* In the letters that an address has: others are percent-encoded there. */
static void add_pattern(struct text *t, const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)s[i];
		bool encoded = (i > 0 && s[i - 1] == '%') || (i > 1 && s[i - 2] == '%');

		if (encoded && isxdigit(c))
			text_addc(t, (char)toupper(c));
		else if (c <= ' ' || c >= 0x7f)
			text_addf(t, "%%%02X", c);
		else
			text_addc(t, (char)c);
	}
}

char *robots_pattern(const char *pattern, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	text_adds(&t, "");
	add_pattern(&t, pattern, strlen(pattern));
	return t.at;
}

static void add_rule(struct group *g, char kind, const struct line *l)
{
	if (l->value_size == 0 || l->value_size > RULE_MAX || g->rules.length > RULES_MAX)
		return;
	text_addc(&g->rules, kind);
	add_pattern(&g->rules, l->value, l->value_size);
	text_addc(&g->rules, '\n');
}

static void set_delay(struct group *g, const struct line *l)
{
	double seconds = 0, scale = 1;

	for (size_t i = 0; i < l->value_size && i < 8; i++) {
		if (l->value[i] == '.')
			scale = scale == 1 ? 0.1 : 0;
		else if (!isdigit((unsigned char)l->value[i]))
			return;
		else if (scale == 1)
			seconds = seconds * 10 + (l->value[i] - '0');
		else
			seconds += scale * (l->value[i] - '0'), scale /= 10;
	}
	g->delay_ms = (int)((seconds < DELAY_MAX ? seconds : DELAY_MAX) * 1000);
}

struct robots_reading {
	struct group ours, everybody;
	bool for_us, for_everybody; /* the group we are in */
	bool in_names;              /* its names are still coming */
	struct robots *ret;
	struct arena *arena;
};

static void take_name(struct robots_reading *r, const struct line *l)
{
	if (!r->in_names)
		r->for_us = r->for_everybody = false;
	r->in_names = true;
	if (l->value_size == 1 && *l->value == '*')
		r->for_everybody = true;
	else if (l->value_size >= strlen(our_name) && strncasecmp(l->value, our_name, strlen(our_name)) == 0)
		r->for_us = r->ours.named = true;
}

static void take(struct robots_reading *r, const struct line *l)
{
	struct group *g[] = { r->for_us ? &r->ours : NULL, r->for_everybody ? &r->everybody : NULL };

	if (is(l, "user-agent")) {
		take_name(r, l);
		return;
	}
	if (is(l, "sitemap") && r->ret->sitemap_count < ROBOTS_SITEMAPS) {
		r->ret->sitemaps[r->ret->sitemap_count++] = arena_strndup(r->arena, l->value, l->value_size);
		return;
	}
	for (int i = 0; i < 2; i++) {
		if (g[i] && is(l, "allow"))
			add_rule(g[i], 'a', l);
		else if (g[i] && is(l, "disallow"))
			add_rule(g[i], 'd', l);
		else if (g[i] && is(l, "crawl-delay"))
			set_delay(g[i], l);
	}
	r->in_names = false;
}

void robots_read(const char *bytes, size_t size, struct robots *ret, struct arena *a)
{
	struct robots_reading r = { .ret = ret, .arena = a };
	const struct group *chosen;
	const char *last;

	*ret = (struct robots){ 0 };
	text_init(&r.ours.rules, a);
	text_init(&r.everybody.rules, a);
	size = size < ROBOTS_MAX ? size : ROBOTS_MAX;
	last = bytes + size;
	if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		bytes += 3; /* a mark that some editors begin with is not part of the first name */
	for (const char *s = bytes; s < last;) {
		const char *eol = memchr(s, '\n', (size_t)(last - s));
		struct line line;

		eol = eol ? eol : last;
		if (read_line(s, (size_t)(eol - s), &line))
			take(&r, &line);
		s = eol < last ? eol + 1 : last;
	}
	chosen = r.ours.named ? &r.ours : &r.everybody;
	ret->rules = chosen->rules.length ? chosen->rules.at : "";
	ret->delay_ms = chosen->delay_ms;
}

/* --- Asking ----------------------------------------------------------------------------------------------------- */

/* What stands between stars, one after the other, each where it first fits: so a pattern costs no more than its path is long,
 * whoever wrote it. */
bool robots_fits(const char *pattern, size_t size, const char *path)
{
	const char *p = pattern, *end = pattern + size, *s = path, *last = path + strlen(path);
	bool whole = size && end[-1] == '$';

	end -= whole;
	for (bool first = true;; first = false) {
		const char *star = memchr(p, '*', (size_t)(end - p));
		size_t n = (size_t)((star ? star : end) - p);

		if (n > (size_t)(last - s))
			return false;
		if (!first)
			s = whole && !star ? last - n : memmem(s, (size_t)(last - s), p, n);
		if (!s || memcmp(s, p, n) != 0)
			return false;
		s += n;
		if (!star)
			return !whole || s == last;
		p = star + 1;
	}
}

bool robots_allow(const char *rules, const char *path)
{
	size_t best = 0;
	bool allowed = true;

	for (const char *s = rules; *s;) {
		size_t n = strcspn(s, "\n");

		if (n > 1 && n - 1 >= best && robots_fits(s + 1, n - 1, path)) {
			allowed = n - 1 > best ? *s == 'a' : allowed || *s == 'a';
			best = n - 1;
		}
		s += n + (s[n] == '\n');
	}
	return allowed;
}

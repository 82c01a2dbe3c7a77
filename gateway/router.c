#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "gateway/router.h"

/*
 * A tree of segments. Where a literal leads nowhere for the verb asked, the parameter beside it is tried: so the search
 * visits each node once at most, and gathers on its way which verbs the path has.
 */
enum { MAX_SEGMENTS = 24 };

enum verb { DELETE, GET, POST, PUT, VERBS };
static const char *const verb_names[VERBS] = { "DELETE", "GET", "POST", "PUT" };

struct leaf {
	const struct route *route;
	const char *names[ROUTE_PARAMS];
};

struct node {
	const char *literal;
	size_t length;
	struct node *next;      /* the literal beside this one */
	struct node *literals;  /* below */
	struct node *parameter; /* below */
	struct leaf leaves[VERBS];
};

struct router {
	struct arena arena;
	struct node root;
	char allow[1 << VERBS][40]; /* what is said of a path that has these verbs: a bit each */
};

struct segment {
	const char *text;
	size_t length;
};

static int verb_number(const char *verb)
{
	int i = 0;

	if (!strcmp(verb, "HEAD"))
		return GET;
	while (i < VERBS && strcmp(verb_names[i], verb) != 0)
		i++;
	return i;
}

static struct node *child(struct router *r, struct node *parent, const char *text, size_t length)
{
	struct node **at = &parent->literals;

	if (*text == '{') {
		if (!parent->parameter)
			parent->parameter = arena_new(&r->arena, struct node, 1);
		return parent->parameter;
	}
	while (*at && ((*at)->length != length || memcmp((*at)->literal, text, length) != 0))
		at = &(*at)->next;
	if (!*at) {
		*at = arena_new(&r->arena, struct node, 1);
		(*at)->literal = text;
		(*at)->length = length;
	}
	return *at;
}

static void add(struct router *r, const struct route *route)
{
	struct leaf leaf = { .route = route };
	struct node *node = &r->root;
	int verb = verb_number(route->verb), count = 0;

	for (const char *p = route->path + 1; *p;) {
		size_t length = strcspn(p, "/");

		node = child(r, node, p, length);
		if (*p == '{' && count < ROUTE_PARAMS)
			leaf.names[count++] = arena_strndup(&r->arena, p + 1, length - 2);
		p += length + (p[length] == '/');
	}
	if (verb < VERBS)
		node->leaves[verb] = leaf;
}

static void list_verbs(unsigned verbs, char allow[40])
{
	int length = 0;

	for (int i = 0; i < VERBS; i++) {
		if (verbs & 1U << i)
			length += snprintf(allow + length, (size_t)(40 - length), "%s%s%s",
			                   length ? ", " : "", verb_names[i], i == GET ? ", HEAD" : "");
	}
}

struct router *router_new(const struct route *list, unsigned count)
{
	struct router *r = calloc(1, sizeof *r);

	if (!r)
		abort();
	arena_init(&r->arena, 0);
	for (unsigned verbs = 0; verbs < 1 << VERBS; verbs++)
		list_verbs(verbs, r->allow[verbs]);
	for (unsigned i = 0; i < count; i++)
		add(r, &list[i]);
	return r;
}

void router_free(struct router *r)
{
	if (!r)
		return;
	arena_done(&r->arena);
	free(r);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* One segment, percent-decoded into `to`; -1 for a broken escape, %00 and what is not UTF-8. */
static int decode(const char *from, size_t length, char *to, size_t *ret)
{
	char *at = to;

	for (size_t i = 0; i < length; i++) {
		char c = from[i];

		if (c == '%') {
			int high = i + 2 < length ? hex(from[i + 1]) : -1,
			    low = i + 2 < length ? hex(from[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		*at++ = c;
	}
	*at = '\0';
	*ret = (size_t)(at - to);
	return utf8_valid(to, *ret) ? 0 : -1; /* which U+0000 is not */
}

/* The number of segments, MAX_SEGMENTS + 1 when there are too many, or -1 when one cannot be decoded. */
static int split(const char *path, struct segment *segments, struct arena *a)
{
	char *to = arena_alloc(a, strlen(path) * 2 + 1);
	int count = 0;

	for (const char *p = path + 1; *p;) {
		size_t length = strcspn(p, "/");

		if (count == MAX_SEGMENTS)
			return MAX_SEGMENTS + 1;
		if (decode(p, length, to, &segments[count].length) < 0)
			return -1;
		segments[count++].text = to;
		to += length + 1;
		p += length + (p[length] == '/');
	}
	return count;
}

struct search {
	const struct segment *segments;
	int count, verb;
	const char *values[ROUTE_PARAMS];
	int value_count;
	unsigned verbs; /* that the path has: a bit each */
};

static const struct leaf *find(struct search *s, const struct node *node, int depth)
{
	const struct segment *segment = &s->segments[depth];
	const struct leaf *found = NULL;

	if (depth == s->count) {
		for (int i = 0; i < VERBS; i++)
			s->verbs |= node->leaves[i].route ? 1U << i : 0;
		return s->verb < VERBS && node->leaves[s->verb].route ? &node->leaves[s->verb] : NULL;
	}
	for (const struct node *n = node->literals; n && !found; n = n->next) {
		if (n->length == segment->length && !memcmp(n->literal, segment->text, n->length))
			found = find(s, n, depth + 1);
	}
	if (!found && node->parameter && segment->length && s->value_count < ROUTE_PARAMS) {
		s->values[s->value_count++] = segment->text;
		found = find(s, node->parameter, depth + 1);
		if (!found)
			s->value_count--;
	}
	return found;
}

int router_match(const struct router *r, const char *verb, const char *path, struct route_match *ret,
                 struct arena *a, struct error *err)
{
	struct segment segments[MAX_SEGMENTS + 1];
	struct search s = { .segments = segments, .verb = verb_number(verb) };
	const struct leaf *leaf = NULL;

	*ret = (struct route_match){ .allow = "" };
	if (*path == '/')
		s.count = split(path, segments, a);
	if (s.count < 0)
		return error_set(err, ERROR_MALFORMED,
		                 "the path has a broken percent-escape, or is not UTF-8");
	if (*path == '/' && s.count <= MAX_SEGMENTS)
		leaf = find(&s, &r->root, 0);
	if (!leaf && !s.verbs)
		return error_set(err, ERROR_NOT_FOUND, "there is nothing at this path");
	ret->allow = r->allow[s.verbs];
	if (!leaf)
		return error_set(err, ERROR_METHOD, "this path allows %s only", ret->allow);
	ret->route = leaf->route;
	ret->param_count = s.value_count;
	for (int i = 0; i < s.value_count; i++)
		ret->params[i] = (struct route_param){ leaf->names[i], s.values[i] };
	return 0;
}

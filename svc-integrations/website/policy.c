#include "svc-integrations/website/policy.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "svc-integrations/website/tags.h"

#define BLANKS " \t\r\n\f"

static struct piece first_of(struct piece *rest, const char *ends)
{
	struct piece part = { rest->at, 0 };

	while (part.size < rest->size && !strchr(ends, part.at[part.size]))
		part.size++;
	rest->at += part.size + (part.size < rest->size);
	rest->size -= part.size + (part.size < rest->size);
	return part;
}

/* The next word; of none there are no more. */
static struct piece word_of(struct piece *rest)
{
	while (rest->size && strchr(BLANKS, *rest->at))
		rest->at++, rest->size--;
	return first_of(rest, BLANKS);
}

/* --- Sources -------------------------------------------------------------------------------------------------------- */

/* "scheme", "host", "port" of "https://host:8443/path"; each may be missing. */
struct place {
	struct piece scheme, host, port;
};

static struct place place_of(struct piece source)
{
	const char *sign = memmem(source.at, source.size, "://", 3);
	struct place p = { .scheme = { source.at, sign ? (size_t)(sign - source.at) : 0 } };
	struct piece rest = source, all;

	if (sign) {
		rest.at = sign + 3;
		rest.size = source.size - p.scheme.size - 3;
	}
	all = first_of(&rest, "/");
	p.host = first_of(&all, ":");
	p.port = all;
	return p;
}

static bool same(struct piece a, struct piece b)
{
	return a.size == b.size && strncasecmp(a.at, b.at, a.size) == 0;
}

static bool is_host(struct piece listed, struct piece host)
{
	struct piece tail = { listed.at + 1, listed.size - 1 };

	if (piece_is(listed, "*"))
		return true;
	if (listed.size > 2 && strncmp(listed.at, "*.", 2) == 0)
		return host.size > tail.size &&
		       same(tail, (struct piece){ host.at + host.size - tail.size, tail.size });
	return same(listed, host);
}

static bool is_port(struct place listed, struct place ours)
{
	if (piece_is(listed.port, "*") || same(listed.port, ours.port))
		return true;
	return (piece_is(listed.port, "443") || piece_is(listed.port, "80")) && ours.port.size == 0;
}

/* What says http lets https in, too. */
static bool is_scheme(struct piece listed, struct piece ours)
{
	return listed.size == 0 || same(listed, ours) ||
	       (piece_is(listed, "http") && piece_is(ours, "https"));
}

static bool lets_in(struct piece source, const struct policy_view *view)
{
	struct place ours = place_of((struct piece){ view->script, strlen(view->script) }), listed;

	if (piece_is(source, "'self'"))
		return strcasecmp(view->page, view->script) == 0;
	if (piece_is(source, "*"))
		return true;
	if (source.size > 1 && source.at[source.size - 1] == ':')
		return is_scheme((struct piece){ source.at, source.size - 1 }, ours.scheme);
	listed = place_of(source);
	return is_scheme(listed.scheme, ours.scheme) && is_host(listed.host, ours.host) &&
	       is_port(listed, ours);
}

/* 'nonce-…' of ours. */
static bool is_nonce(struct piece source, const char *nonce)
{
	char wanted[300];
	int size = snprintf(wanted, sizeof wanted, "'nonce-%s'", nonce);

	return *nonce && size < (int)sizeof wanted && source.size == (size_t)size &&
	       strncmp(source.at, wanted, source.size) == 0;
}

static bool allows(struct piece sources, const struct policy_view *view)
{
	bool strict = piece_has(sources, "'strict-dynamic'"), allowed = false;

	for (struct piece source = word_of(&sources); source.size; source = word_of(&sources))
		allowed |= is_nonce(source, view->nonce) || (!strict && lets_in(source, view));
	return allowed;
}

/* --- Directives ----------------------------------------------------------------------------------------------------- */

/* false: the policy has none of that name. The first one counts. */
static bool find(struct piece policy, const char *name, struct piece *sources)
{
	while (policy.size) {
		struct piece directive = first_of(&policy, ";");

		if (piece_is(word_of(&directive), name)) {
			*sources = directive;
			return true;
		}
	}
	return false;
}

static const struct {
	const char *told, *looked_for[4]; /* whichever is there first */
} needs[] = {
	{ "script-src", { "script-src-elem", "script-src", "default-src", NULL } },
	{ "connect-src", { "connect-src", "default-src", NULL } },
};

static const char *blocks(struct piece policy, const struct policy_view *view)
{
	for (size_t n = 0; n < sizeof needs / sizeof *needs; n++)
		for (const char *const *name = needs[n].looked_for; *name; name++) {
			struct piece sources;

			if (!find(policy, *name, &sources))
				continue;
			if (!allows(sources, view))
				return needs[n].told;
			break;
		}
	return NULL;
}

const char *policy_blocks(const char *text, size_t size, const struct policy_view *view)
{
	struct piece rest = { text, size };
	const char *by = NULL;

	while (rest.size && !by)
		by = blocks(first_of(&rest, ","), view);
	return by;
}

#include "svc-chat/tools/idle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/base/thread.h"

enum { KEY_TEXT = 65 };

struct kept {
	char key[KEY_TEXT];
	struct arena arena; /* of what follows */
	struct mcp m;       /* all that is needed to end it */
	int64_t since;      /* monotonic ms */
	struct kept *next;  /* used before this one */
};

struct idle {
	struct egress *egress;
	int64_t ms;
	pthread_t thread;     /* ends those whose time is over */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct kept *newest;
	bool ending;
};

static void kept_free(struct kept *one)
{
	arena_done(&one->arena);
	free(one);
}

/* Its server is told. */
static void kept_end(struct kept *one)
{
	mcp_close(&one->m);
	kept_free(one);
}

const char *idle_key(const char *owner, const struct server_row *server, const char *const *headers,
                     const char *bearer, struct arena *a)
{
	struct text all;
	char *hash = arena_alloc(a, KEY_TEXT);

	text_init(&all, a);
	text_addf(&all, "%s\n%lld\n%s\n%s", owner, (long long)server->id, server->uri, bearer ? bearer : "");
	for (size_t i = 0; headers && headers[i]; i++)
		text_addf(&all, "\n%s", headers[i]);
	sha256_hex(hash, all.at, all.length);
	return hash;
}

/* Out of the list, and the caller's: the first of that key; NULL: any that has been idle for too long. The lock is held. */
static struct kept *take_out(struct idle *s, const char *key, int64_t now)
{
	for (struct kept **at = &s->newest; *at; at = &(*at)->next) {
		struct kept *one = *at;

		if (key ? strcmp(one->key, key) != 0 : now - one->since < s->ms)
			continue;
		*at = one->next;
		return one;
	}
	return NULL;
}

void idle_take(struct idle *s, const char *key, struct mcp *m)
{
	struct kept *one;

	pthread_mutex_lock(&s->lock);
	one = take_out(s, key, 0);
	pthread_mutex_unlock(&s->lock);
	if (!one)
		return;
	m->version = arena_strdup(m->arena, one->m.version);
	m->session = arena_strdup(m->arena, one->m.session);
	m->last_id = one->m.last_id;
	m->silent = one->m.silent;
	kept_free(one);
}

static struct kept *copy(const struct idle *s, const char *key, const struct mcp *m)
{
	struct kept *one = calloc(1, sizeof *one);
	struct arena *a;
	const char **headers;
	size_t n = 0;

	if (!one)
		abort();
	a = &one->arena;
	arena_init(a, 0);
	while (m->headers && m->headers[n])
		n++;
	headers = arena_new(a, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		headers[i] = arena_strdup(a, m->headers[i]);
	memcpy(one->key, key, KEY_TEXT);
	one->since = clock_mono_ms();
	one->m = (struct mcp){ .egress = s->egress,
		               .arena = a,
		               .url = arena_strdup(a, m->url),
		               .headers = headers,
		               .bearer = arena_strdup(a, m->bearer),
		               .era = m->era,
		               .version = arena_strdup(a, m->version),
		               .session = arena_strdup(a, m->session),
		               .last_id = m->last_id,
		               .silent = m->silent };
	return one;
}

/* One that is too many: of that key, or of all; NULL: none is. The lock is held. */
static struct kept *surplus(struct idle *s, const char *key)
{
	struct kept **last = NULL, **last_of_key = NULL, *one;
	int all = 0, its = 0;

	for (struct kept **at = &s->newest; *at; at = &(*at)->next) {
		last = at;
		all++;
		if (strcmp((*at)->key, key) == 0) {
			last_of_key = at;
			its++;
		}
	}
	last = its > IDLE_EACH ? last_of_key : all > IDLE_MOST ? last : NULL;
	one = last ? *last : NULL;
	if (one)
		*last = one->next;
	return one;
}

void idle_keep(struct idle *s, const char *key, struct mcp *m)
{
	struct kept *one, *over;

	if (m->era != MCP_SESSIONS || !m->version)
		return;
	one = copy(s, key, m);
	m->session = m->version = NULL;
	pthread_mutex_lock(&s->lock);
	one->next = s->newest;
	s->newest = one;
	over = surplus(s, key);
	if (!one->next)
		pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (over)
		kept_end(over);
}

/* --- Whose time is over --------------------------------------------------------------------------------------------- */

/* When the one longest unused is; -1: there is none. The lock is held. */
static int64_t next_end(const struct idle *s)
{
	const struct kept *one = s->newest;

	while (one && one->next)
		one = one->next;
	return one ? one->since + s->ms : -1;
}

static void *sweep(void *arg)
{
	struct idle *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		struct kept *over = take_out(s, NULL, clock_mono_ms());
		int64_t until = next_end(s);

		if (over) {
			pthread_mutex_unlock(&s->lock);
			kept_end(over);
			pthread_mutex_lock(&s->lock);
		} else if (until < 0) {
			pthread_cond_wait(&s->changed, &s->lock);
		} else {
			(void)cond_wait_until(&s->changed, &s->lock, until);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct idle *idle_open(struct egress *egress, int64_t ms)
{
	struct idle *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->egress = egress;
	s->ms = ms;
	pthread_mutex_init(&s->lock, NULL);
	cond_init_monotonic(&s->changed);
	s->thread = thread_start(sweep, s);
	return s;
}

void idle_close(struct idle *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	for (struct kept *one = s->newest, *next; one; one = next) {
		next = one->next;
		kept_end(one);
	}
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

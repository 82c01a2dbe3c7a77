#include "svc-chat/model/quirks.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"

enum {
	KNOWN_MAX = 64,                 /* models at a time; the one longest unasked goes */
	FRESH_MS = 60 * 1000,           /* what others have learned since is seen then */
	ALONE_MS = 24 * 60 * 60 * 1000, /* without a store: until it is forgotten */
};

struct known {
	char endpoint[256], model[128];
	struct quirks quirks;
	int64_t until;
};

struct quirks_cache {
	struct quirks_store store;
	pthread_mutex_t lock;
	struct known known[KNOWN_MAX];
};

struct quirks_cache *quirks_open(const struct quirks_store *store)
{
	struct quirks_cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		abort();
	if (store)
		cache->store = *store;
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void quirks_close(struct quirks_cache *cache)
{
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* --- Keeping ------------------------------------------------------------------------------------------------------ */

/* The place of that model, or the one to take for it. Under the lock. */
static struct known *place_of(struct quirks_cache *cache, const char *endpoint, const char *model)
{
	struct known *oldest = cache->known;

	for (struct known *k = cache->known; k < cache->known + KNOWN_MAX; k++) {
		if (strcmp(k->endpoint, endpoint) == 0 && strcmp(k->model, model) == 0)
			return k;
		if (k->until < oldest->until)
			oldest = k;
	}
	return oldest;
}

static bool fits(const char *endpoint, const char *model)
{
	return strlen(endpoint) < sizeof((struct known *)0)->endpoint &&
	       strlen(model) < sizeof((struct known *)0)->model;
}

static void remember(struct quirks_cache *cache, const char *endpoint, const char *model,
                     const struct quirks *quirks)
{
	struct known *place;

	if (!fits(endpoint, model))
		return;
	pthread_mutex_lock(&cache->lock);
	place = place_of(cache, endpoint, model);
	memcpy(place->endpoint, endpoint, strlen(endpoint) + 1);
	memcpy(place->model, model, strlen(model) + 1);
	place->quirks = *quirks;
	place->until = clock_mono_ms() + (cache->store.load ? FRESH_MS : ALONE_MS);
	pthread_mutex_unlock(&cache->lock);
}

static bool recall(struct quirks_cache *cache, const char *endpoint, const char *model, struct quirks *ret)
{
	const struct known *place;
	bool known;

	pthread_mutex_lock(&cache->lock);
	place = place_of(cache, endpoint, model);
	known = strcmp(place->endpoint, endpoint) == 0 && strcmp(place->model, model) == 0 &&
	        place->until > clock_mono_ms();
	if (known)
		*ret = place->quirks;
	pthread_mutex_unlock(&cache->lock);
	return known;
}

struct quirks quirks_of(struct quirks_cache *cache, void *db, const char *endpoint, const char *model)
{
	struct quirks quirks = { 0 };

	if (recall(cache, endpoint, model, &quirks))
		return quirks;
	if (cache->store.load && db && cache->store.load(db, endpoint, model, &quirks) <= 0)
		quirks = (struct quirks){ 0 };
	remember(cache, endpoint, model, &quirks);
	return quirks;
}

void quirks_keep(struct quirks_cache *cache, void *db, const char *endpoint, const char *model,
                 const struct quirks *quirks)
{
	remember(cache, endpoint, model, quirks);
	if (cache->store.save && db)
		cache->store.save(db, endpoint, model, quirks);
}

/* --- Learning ----------------------------------------------------------------------------------------------------- */

/* The largest bound in the words that is below what was asked for: "at most 4096", "the valid range is [1, 8192]". */
static int64_t bound_in(const char *words, int asked)
{
	int64_t best = 0;

	for (char *at = (char *)words; *at;) {
		int64_t n;

		if (!isdigit((unsigned char)*at)) {
			at++;
			continue;
		}
		n = strtol(at, &at, 10);
		if (n >= 16 && n < asked && n > best)
			best = n;
	}
	return best;
}

static bool learn_tokens(struct quirks *q, const struct complaint *c, int max_tokens)
{
	static const char *const bounds[] = { "at most", "too large", "too big", "range",
		                              "maximum", "less than", "exceed" };
	int64_t bound = bound_in(c->words, max_tokens);

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (bound && complaint_mentions(c, bounds[i]) && !q->most_tokens) {
			q->most_tokens = bound;
			return true;
		}
	if (q->bits & QUIRK_NO_MAX_TOKENS)
		return false;
	if (complaint_mentions(c, "max_completion_tokens"))
		q->bits ^= QUIRK_COMPLETION_TOKENS; /* to be used, or not to be used */
	else
		q->bits |= QUIRK_NO_MAX_TOKENS;
	return true;
}

static bool about_tokens(const struct complaint *c)
{
	static const char *const names[] = { "max_completion_tokens", "max_tokens",      "max tokens",
		                             "maximum tokens",        "maxoutputtokens", "max_output_tokens",
		                             "max_new_tokens" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (complaint_mentions(c, names[i]))
			return true;
	return false;
}

static bool about_system(const struct complaint *c)
{
	return (complaint_mentions(c, "system") && complaint_mentions(c, "role")) ||
	       complaint_mentions(c, "system message") || complaint_mentions(c, "system prompt") ||
	       complaint_mentions(c, "developer instruction") ||
	       complaint_mentions(c, "only user and assistant") ||
	       complaint_mentions(c, "first message must be") ||
	       (complaint_mentions(c, "role") && complaint_mentions(c, "should be 'user' or 'assistant'")) ||
	       complaint_mentions(c, "roles must alternate");
}

static bool about_streams(const struct complaint *c)
{
	return complaint_mentions(c, "stream") &&
	       (complaint_mentions(c, "support") || complaint_mentions(c, "allowed"));
}

/* Of the thing itself, not of one tool that a user has brought along. */
static bool about_tools(const struct complaint *c)
{
	static const char *const refusals[] = { "support",      "requires",   "require ",    "enable",
		                                "unrecognized", "unknown",    "allowed",     "available",
		                                "extra",        "unexpected", "implemented", "不支持" };

	if ((!complaint_mentions(c, "tool") && !complaint_mentions(c, "function call") &&
	     !complaint_mentions(c, "support functions") && !complaint_mentions(c, "工具调用")) ||
	    complaint_mentions(c, "schema"))
		return false;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (complaint_mentions(c, refusals[i]))
			return true;
	return false;
}

static bool add(struct quirks *q, int64_t bit)
{
	if (q->bits & bit)
		return false;
	q->bits |= bit;
	return true;
}

static bool learn_thought(struct quirks *q, const struct complaint *c)
{
	bool wants = complaint_mentions(c, "missing") || complaint_mentions(c, "must be passed");
	int64_t bit = wants ? QUIRK_THOUGHT_BACK : QUIRK_NO_THOUGHT_BACK;
	int64_t other = QUIRK_THOUGHT_BACK ^ QUIRK_NO_THOUGHT_BACK ^ bit;

	q->bits &= ~other;
	return add(q, bit);
}

bool quirks_learn(struct quirks *q, const struct complaint *c, int max_tokens)
{
	enum complaint_kind kind = complaint_kind(c);

	if (kind != COMPLAINT_REQUEST && kind != COMPLAINT_FAILED && kind != COMPLAINT_ADDRESS)
		return false;
	if (complaint_mentions(c, "reasoning_content"))
		return learn_thought(q, c);
	if (about_tools(c))
		return add(q, QUIRK_NO_TOOLS);
	if (complaint_mentions(c, "stream_options"))
		return add(q, QUIRK_NO_STREAM_OPTIONS);
	if (about_tokens(c))
		return learn_tokens(q, c, max_tokens);
	if (complaint_mentions(c, "temperature"))
		return add(q, QUIRK_NO_TEMPERATURE);
	if (about_system(c))
		return add(q, QUIRK_NO_SYSTEM);
	return about_streams(c) && add(q, QUIRK_NO_STREAM);
}

#include "svc-auth/providers.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/config.h"

enum {
	KEEP_MS = 10 * 60 * 1000,
	AGAIN_MS = 10000,
	FAILED_MS = 1000,
	ASK_MS = 5000,
	KEYS_BYTES = 256 * 1024,
	PERSON_BYTES = 64 * 1024
};

/* What was published, and when that was read. */
struct kept {
	char *text;                 /* NULL: not yet */
	int64_t read_ms, failed_ms; /* monotonic */
};

struct one {
	struct provider provider;
	pthread_mutex_t asking; /* of the next two; held while the provider is asked */
	struct kept metadata, keys;
};

struct providers {
	struct egress *egress;
	size_t count;
	struct one list[PROVIDERS];
};

/* --- Which there are --------------------------------------------------------------------------------------------- */

static void make_id(char id[40], const char *name)
{
	size_t n = 0;

	for (; *name && n < 39; name++) {
		if (isalnum((unsigned char)*name))
			id[n++] = (char)tolower((unsigned char)*name);
		else if (n && id[n - 1] != '-')
			id[n++] = '-';
	}
	while (n && id[n - 1] == '-')
		n--;
	id[n] = '\0';
}

static int check_one(const struct provider_settings *set, size_t number, struct arena *a, struct error *err)
{
	const char *issuer = arena_printf(a, "OIDC_%zu_ISSUER", number);
	char id[40];
	int rc = 0;

	if (strncmp(set->issuer, "https://", 8) != 0 && strncmp(set->issuer, "http://", 7) != 0)
		rc = config_refuse(err, a, issuer, "%s must be the address of a provider: https://…", issuer);
	if (!*set->client_id)
		rc = config_refuse(err, a, issuer, "OIDC_%zu_CLIENT_ID is needed with %s", number, issuer);
	make_id(id, set->name);
	if (!*id)
		rc = config_refuse(err, a, issuer, "OIDC_%zu_NAME needs a letter or a digit", number);
	if (*set->admin_claim && (!strchr(set->admin_claim, '=') || *set->admin_claim == '='))
		rc = config_refuse(err, a, issuer,
		                   "OIDC_%zu_ADMIN_CLAIM must be a claim and its value: groups=admins",
		                   number);
	return rc;
}

int providers_check(const struct provider_settings *list, size_t count, bool only, struct arena *a,
                    struct error *err)
{
	char ids[PROVIDERS][40];
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		ids[i][0] = '\0';
		if (!*list[i].issuer)
			continue;
		any = true;
		rc |= check_one(&list[i], i + 1, a, err);
		make_id(ids[i], list[i].name);
		for (size_t k = 0; k < i; k++)
			if (*ids[k] && strcmp(ids[k], ids[i]) == 0)
				rc = config_refuse(err, a, "OIDC_1_NAME",
				                   "two providers cannot both be called %s", list[i].name);
	}
	if (only && !any)
		rc = config_refuse(err, a, "OIDC_ONLY", "OIDC_ONLY needs a provider: OIDC_1_ISSUER");
	return rc;
}

struct providers *providers_open(const struct provider_settings *list, size_t count, struct egress *egress)
{
	struct providers *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	p->egress = egress;
	for (size_t i = 0; i < count; i++) {
		struct one *one = &p->list[p->count];

		if (!*list[i].issuer)
			continue;
		one->provider.set = &list[i];
		make_id(one->provider.id, list[i].name);
		pthread_mutex_init(&one->asking, NULL);
		p->count++;
	}
	return p;
}

void providers_close(struct providers *p)
{
	for (size_t i = 0; p && i < p->count; i++) {
		pthread_mutex_destroy(&p->list[i].asking);
		free(p->list[i].metadata.text);
		free(p->list[i].keys.text);
	}
	free(p);
}

size_t providers_count(const struct providers *p)
{
	return p->count;
}

const struct provider *providers_at(const struct providers *p, size_t i)
{
	return &p->list[i].provider;
}

const struct provider *providers_find(const struct providers *p, const char *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->list[i].provider.id, id) == 0)
			return &p->list[i].provider;
	return NULL;
}

static struct one *one_of(struct providers *p, const struct provider *who)
{
	for (size_t i = 0; i < p->count; i++)
		if (&p->list[i].provider == who)
			return &p->list[i];
	abort();
}

/* --- What it publishes ------------------------------------------------------------------------------------------- */

static struct oauth asking(const struct providers *p, const struct call *call)
{
	int64_t left = call->deadline - clock_unix_ms();

	return (struct oauth){ .egress = p->egress,
		               .arena = call->arena,
		               .deadline = clock_mono_ms() + (left < ASK_MS ? left : ASK_MS),
		               .cancelled = call->cancelled };
}

static void keep(struct kept *k, const char *text)
{
	free(k->text);
	k->text = strdup(text);
	if (!k->text)
		abort();
	k->read_ms = clock_mono_ms();
}

/* Those who waited for somebody who waited in vain do not wait, each in turn, as long again. */
static bool just_failed(const struct kept *k)
{
	return k->failed_ms && clock_mono_ms() - k->failed_ms < FAILED_MS;
}

static int failed(struct kept *k)
{
	k->failed_ms = clock_mono_ms();
	return -1;
}

static int no_answer(struct call *call)
{
	return error_set(call->err, ERROR_UPSTREAM, "the provider does not answer as it should");
}

/* With the provider's lock held. */
static int read_metadata(struct providers *p, struct call *call, struct one *one, struct oauth_server *ret)
{
	const char *issuer = one->provider.set->issuer;
	struct oauth o = asking(p, call);

	if (one->metadata.text && clock_mono_ms() - one->metadata.read_ms < KEEP_MS)
		return oauth_server_read(arena_strdup(call->arena, one->metadata.text), issuer, ret,
		                         call->arena, call->err);
	if (just_failed(&one->metadata))
		return no_answer(call);
	if (oauth_discover(&o, issuer, ret, call->err) < 0)
		return failed(&one->metadata);
	keep(&one->metadata, ret->document);
	return 0;
}

int providers_server(struct providers *p, struct call *call, const struct provider *who,
                     struct oauth_server *ret)
{
	struct one *one = one_of(p, who);
	int result;

	if (call_may_ask(call, WAITS_OUTSIDE, "a provider") < 0)
		return -1;
	pthread_mutex_lock(&one->asking);
	result = read_metadata(p, call, one, ret);
	pthread_mutex_unlock(&one->asking);
	return result;
}

static int get(struct providers *p, struct call *call, const char *url, const char *authorization,
               size_t most, struct egress_response *ret)
{
	const char *const headers[] = { "Accept: application/json", authorization, NULL };
	struct oauth o = asking(p, call);
	int64_t left = o.deadline - clock_mono_ms();

	if (egress_fetch(p->egress,
	                 &(struct egress_request){ .method = "GET",
	                                           .url = url,
	                                           .headers = headers,
	                                           .timeout_ms = left > 1 ? (int)left : 1,
	                                           .max_bytes = most,
	                                           .cancelled = call->cancelled },
	                 ret, call->arena, call->err) < 0)
		return -1;
	return ret->status == 200
	           ? 0
	           : error_set(call->err, ERROR_UPSTREAM, "the provider answered %d", ret->status);
}

static bool are_keys(const struct egress_response *got)
{
	OWN(json) json_object *set = NULL;
	struct error ignored = { 0 };

	return json_parse(got->body, got->body_size, &set, &ignored) == 0 &&
	       json_object_is_type(set, json_type_object) &&
	       json_object_is_type(json_get(set, "keys"), json_type_array);
}

/* With the provider's lock held: the keys, not older than asked for. */
static int read_keys(struct providers *p, struct call *call, struct one *one,
                     const struct oauth_server *server, int64_t oldest_ms, const char **ret)
{
	struct egress_response got;

	if (!server->jwks_uri)
		return error_set(call->err, ERROR_UPSTREAM, "the provider publishes no keys");
	if (!one->keys.text || clock_mono_ms() - one->keys.read_ms > oldest_ms) {
		if (just_failed(&one->keys))
			return no_answer(call);
		if (get(p, call, server->jwks_uri, NULL, KEYS_BYTES, &got) < 0)
			return failed(&one->keys);
		if (!are_keys(&got)) {
			(void)failed(&one->keys);
			return no_answer(call);
		}
		keep(&one->keys, got.body);
	}
	*ret = arena_strdup(call->arena, one->keys.text);
	return 0;
}

static int keys(struct providers *p, struct call *call, const struct provider *who,
                const struct oauth_server *server, int64_t oldest_ms, const char **ret)
{
	struct one *one = one_of(p, who);
	int result;

	pthread_mutex_lock(&one->asking);
	result = read_keys(p, call, one, server, oldest_ms, ret);
	pthread_mutex_unlock(&one->asking);
	return result;
}

/* --- What it says of somebody ------------------------------------------------------------------------------------- */

int providers_exchange(struct providers *p, struct call *call, const struct provider *who,
                       const struct oauth_server *server, const struct oauth_request *r, const char *code,
                       struct oauth_tokens *ret)
{
	struct oauth_client client = { .id = who->set->client_id,
		                       .secret = *who->set->client_secret ? who->set->client_secret : NULL };
	struct oauth o = asking(p, call);

	if (call_may_ask(call, WAITS_OUTSIDE, "a provider") < 0 ||
	    oauth_exchange(&o, server, &client, r, code, ret, call->err) < 0)
		return -1;
	return ret->id_token
	           ? 0
	           : error_set(call->err, ERROR_UPSTREAM, "the provider does not say who signed in");
}

int providers_claims(struct providers *p, struct call *call, const struct provider *who,
                     const struct oauth_server *server, const char *token, const char *nonce, int64_t oldest,
                     json_object **ret)
{
	struct jwt_expectation e = { .issuer = who->set->issuer,
		                     .audience = who->set->client_id,
		                     .nonce = nonce,
		                     .now = clock_unix_ms() / 1000,
		                     .oldest = oldest };
	OWN(json) json_object *claims = NULL;
	const char *text, *subject;
	int signed_by;

	if (call_may_ask(call, WAITS_OUTSIDE, "a provider") < 0 ||
	    keys(p, call, who, server, KEEP_MS, &text) < 0)
		return -1;
	signed_by = jwt_verify(token, text, &claims, call->err);
	if (signed_by == 0) {
		/* One that the provider gave us just now is by a key that it has; anybody can send us the other kind. */
		int64_t age = nonce ? clock_unix_ms() - call->now : AGAIN_MS;

		if (keys(p, call, who, server, age, &text) < 0)
			return -1;
		signed_by = jwt_verify(token, text, &claims, call->err);
	}
	if (signed_by == 0)
		return error_set(
		    call->err, ERROR_UNAUTHENTICATED,
		    "the sign-in cannot be believed: it is signed with a key that the provider does not publish");
	if (signed_by < 0 || jwt_expect(claims, &e, call->err) < 0)
		return -1;
	subject = json_string(claims, "sub");
	if (subject && (!*subject || strlen(subject) > 255))
		return error_set(call->err, ERROR_UPSTREAM, "the provider does not say who signed in");
	*ret = TAKE(claims);
	return 0;
}

int providers_person(struct providers *p, struct call *call, const struct oauth_server *server,
                     const char *access_token, const char *subject, json_object **ret)
{
	OWN(json) json_object *said = NULL;
	struct egress_response got;
	const char *who;

	*ret = NULL;
	if (!server->userinfo_endpoint)
		return 0;
	if (call_may_ask(call, WAITS_OUTSIDE, "a provider") < 0 ||
	    get(p, call, server->userinfo_endpoint,
	        arena_printf(call->arena, "Authorization: Bearer %s", access_token), PERSON_BYTES, &got) < 0)
		return -1;
	if (json_parse(got.body, got.body_size, &said, call->err) < 0) {
		error_clear(call->err);
		return error_set(call->err, ERROR_UPSTREAM, "what the provider says of you cannot be read");
	}
	who = json_object_is_type(said, json_type_object) ? json_string(said, "sub") : NULL;
	if (!who || strcmp(who, subject) != 0)
		return error_set(call->err, ERROR_UPSTREAM, "the provider speaks of somebody else");
	*ret = TAKE(said);
	return 0;
}

/* --- Claims ------------------------------------------------------------------------------------------------------ */

static bool says(json_object *value, const char *wanted)
{
	if (json_object_is_type(value, json_type_string))
		return strcmp(json_object_get_string(value), wanted) == 0;
	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value) &&
	       strcmp(wanted, "true") == 0;
}

bool providers_claim_holds(json_object *claims, const char *wanted)
{
	const char *value = strchr(wanted, '=');
	char name[200];
	json_object *said;

	if (!value || (size_t)(value - wanted) >= sizeof name)
		return false;
	memcpy(name, wanted, (size_t)(value - wanted));
	name[value - wanted] = '\0';
	said = json_get(claims, name);
	if (!said || !json_object_is_type(said, json_type_array))
		return said && says(said, value + 1);
	for (size_t i = 0; i < json_object_array_length(said); i++)
		if (says(json_object_array_get_idx(said, i), value + 1))
			return true;
	return false;
}

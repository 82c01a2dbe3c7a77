#include "svc-integrations/slack/install.h"

#include <string.h>

#include "chatbots.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/query.h"
#include "common/base/text.h"
#include "integrations.methods.h"
#include "svc-integrations/integrations.h"
#include "svc-integrations/secrets.h"
#include "svc-integrations/webhook/listening.h"

enum {
	RANDOM = 32,
	PLAIN_ID = 36,
	FLOW_SECONDS = 600,
	AHEAD_SECONDS = 3600, /* before it expires */
	LEAST_SECONDS = 60,
	TRIES = 3,
};
#define COOKIE "parley_slack"

const char *const slack_scopes[] = { "app_mentions:read", "channels:history", "chat:write",
	                             "commands",          "groups:history",   "im:history",
	                             "im:read",           "im:write",         "reactions:write" };
const size_t slack_scope_count = sizeof slack_scopes / sizeof *slack_scopes;

static const struct slack *slack_of(const struct call *call)
{
	return &integrations_state(call)->slack;
}

static char *callback(const struct call *call)
{
	return arena_printf(call->arena, "%s/api/integrations/slack/oauth",
	                    integrations_state(call)->public_url);
}

/* --- There ---------------------------------------------------------------------------------------------------------- */

static char *random_text(struct arena *a)
{
	unsigned char bytes[RANDOM];
	char *text = arena_alloc(a, 2 * RANDOM + 1);

	random_bytes(bytes, sizeof bytes);
	hex_encode(text, bytes, sizeof bytes);
	return text;
}

static const char *hash_of(const char *text, struct arena *a)
{
	char hash[65];

	sha256_hex(hash, text, strlen(text));
	return arena_strdup(a, hash);
}

/* Slack's pages stand beside its API: https://slack.com/api, https://slack.com/oauth/v2/authorize. */
static char *address(struct call *call, const char *state)
{
	const struct slack *slack = slack_of(call);
	size_t length = strlen(slack->url);
	struct text url;

	if (length > 4 && strcmp(slack->url + length - 4, "/api") == 0)
		length -= 4;
	text_init(&url, call->arena);
	text_add(&url, slack->url, length);
	text_adds(&url, "/oauth/v2/authorize?client_id=");
	query_encode(&url, slack->client_id);
	text_adds(&url, "&scope=");
	for (size_t i = 0; i < slack_scope_count; i++) {
		text_adds(&url, i ? "%2C" : "");
		query_encode(&url, slack_scopes[i]);
	}
	text_adds(&url, "&redirect_uri=");
	query_encode(&url, callback(call));
	text_adds(&url, "&state=");
	query_encode(&url, state);
	return url.at;
}

static char *cookie_line(const struct call *call, const char *value, int seconds)
{
	bool https = strncmp(integrations_state(call)->public_url, "https:", 6) == 0;

	return arena_printf(call->arena,
	                    COOKIE "=%s; Path=/api/integrations/slack/oauth; Max-Age=%d; HttpOnly; "
	                           "SameSite=Lax%s",
	                    value, seconds, https ? "; Secure" : "");
}

/* It may be deleted until he is back: then that is said there. */
static int find_chatbot(struct call *call, const char *id)
{
	Chatbots__ChatbotRequest in = CHATBOTS__CHATBOT_REQUEST__INIT;
	Chatbots__Chatbot *bot;

	in.chatbot_id = (char *)id;
	return chatbots_client_get_chatbot(integrations_state(call)->chatbots, call, &in, &bot);
}

int slack_install_begin(struct call *call, const char *chatbot, struct install_begun *ret)
{
	const char *cookie = random_text(call->arena);
	char *state = arena_printf(call->arena, "%s.%s", call->owner_id, random_text(call->arena));

	if (!*slack_of(call)->client_id)
		return error_set(call->err, ERROR_NOT_FOUND,
		                 "no Slack app is set up here; make one by the manifest");
	if (chatbot && find_chatbot(call, chatbot) < 0)
		return -1;
	if (store_begin_install(call->db, call->owner_id, hash_of(state, call->arena),
	                        hash_of(cookie, call->arena), chatbot, FLOW_SECONDS, call->err) < 0)
		return -1;
	ret->url = address(call, state);
	ret->cookie = cookie_line(call, cookie, FLOW_SECONDS);
	return 0;
}

/* --- Back ----------------------------------------------------------------------------------------------------------- */

/* The value of our cookie; NULL: there is none. */
static const char *cookie_of(const char *cookies, struct arena *a)
{
	const char *at = cookies ? cookies : "";

	while (*at) {
		size_t size = strcspn(at, ";");

		if (strncmp(at, COOKIE "=", strlen(COOKIE "=")) == 0)
			return arena_strndup(a, at + strlen(COOKIE "="), size - strlen(COOKIE "="));
		at += size;
		at += strspn(at, "; ");
	}
	return NULL;
}

static int ask_oauth(struct call *call, const struct slack_arg *args, json_object **ret, const char **why)
{
	return slack_ask(slack_of(call), "oauth.v2.access", NULL, args, ret, why, call->arena, call->err);
}

/* How long it is good for; 0: for ever. */
static int64_t take_tokens(json_object *answer, struct secrets *secrets, struct arena *a)
{
	secrets->bot_token = arena_strdup(a, json_string(answer, "access_token"));
	secrets->refresh_token = arena_strdup(a, json_string(answer, "refresh_token"));
	secrets->installed = "1";
	return secrets->refresh_token ? json_int(answer, "expires_in", 0) : 0;
}

static int put_row(struct call *call, struct integration_row *row, bool fresh, int64_t expires)
{
	const struct integrations *state = integrations_state(call);
	int rc;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	rc = fresh ? store_add(call->db, row, state->per_user, call->err)
	           : db_must_find(store_change(call->db, row, call->err), "integration", call->err);
	if (rc == 0 && expires)
		rc = slack_rotate_later(call, row->owner_id, row->id, expires - AHEAD_SECONDS);
	if (rc == 0)
		rc = listening_tell_later(call);
	if (rc == 0 && db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

/* The integration of that workspace and app, made anew or with other tokens. */
static int keep_once(struct call *call, json_object *answer, const char *chatbot)
{
	json_object *team = json_get(answer, "team");
	const char *team_id = json_string(team, "id"), *app = json_string(answer, "app_id"),
	           *name = json_string(team, "name");
	struct secrets secrets = { 0 };
	struct integration_row row;
	char id[UUID_TEXT];
	int64_t expires;
	int found;

	if (!team_id && json_flag(answer, "is_enterprise_install", 0))
		return error_set(call->err, ERROR_MALFORMED,
		                 "install the app in a workspace, not in the whole organisation");
	if (!team_id || !app || !json_string(answer, "access_token"))
		return error_set(call->err, ERROR_UPSTREAM, "Slack's answer is not whole");
	found = store_find_installed(call->db, call->owner_id, team_id, app, &row, call->arena, call->err);
	if (found < 0)
		return -1;
	uuid_make(id);
	if (!found)
		row = (struct integration_row){ .owner_id = call->owner_id,
			                        .id = id,
			                        .type = "slack",
			                        .name = arena_printf(call->arena, "Slack: %.150s",
			                                             name ? name : team_id),
			                        .config = "{}" };
	row.chatbot_id = chatbot ? chatbot : row.chatbot_id;
	row.team = arena_strdup(call->arena, team_id);
	row.app = arena_strdup(call->arena, app);
	row.bot_user = arena_strdup(call->arena, json_string(answer, "bot_user_id"));
	row.status = "active";
	row.status_detail = NULL;
	expires = take_tokens(answer, &secrets, call->arena);
	return secrets_put(call, &secrets, &row) < 0 ? -1 : put_row(call, &row, !found, expires);
}

/* Again where its secrets were changed meanwhile: a token that was renewed is over with the new one. */
static int keep(struct call *call, json_object *answer, const char *chatbot)
{
	int rc = keep_once(call, answer, chatbot);

	for (int i = 0; i < TRIES && rc < 0 && call->err->code == ERROR_CONFLICT; i++) {
		error_clear(call->err);
		rc = keep_once(call, answer, chatbot);
	}
	return rc;
}

static int exchange(struct call *call, const struct install_answer *in, const char *chatbot)
{
	OWN(json) json_object *answer = NULL;
	const char *why;
	int said = ask_oauth(call,
	                     (const struct slack_arg[]){ { "client_id", slack_of(call)->client_id },
	                                                 { "client_secret", slack_of(call)->client_secret },
	                                                 { "code", in->code },
	                                                 { "redirect_uri", callback(call) },
	                                                 { NULL, NULL } },
	                     &answer, &why);

	if (said < 0)
		return -1;
	return said ? keep(call, answer, chatbot)
	            : error_set(call->err, ERROR_MALFORMED, "Slack refuses: %s", why);
}

static int is_over(struct call *call)
{
	return error_set(call->err, ERROR_MALFORMED,
	                 "this was done before, or took longer than ten minutes; begin anew");
}

int slack_install_end(struct call *call, const struct install_answer *in, enum install_end *end,
                      const char **owner)
{
	const char *cookie = cookie_of(in->cookies, call->arena), *state, *chatbot = NULL, *stored;
	char *uid = arena_strndup(call->arena, in->state, PLAIN_ID);
	int found = 0;

	state = hash_of(in->state, call->arena);
	if (uuid_valid(uid))
		found = store_find_install(call->db, uid, state, &stored, &chatbot, call->arena, call->err);
	if (found <= 0)
		return found < 0 ? -1 : is_over(call);
	if (*in->error || !*in->code)
		return error_set(call->err, ERROR_MALFORMED, "Slack was not allowed in: %.60s",
		                 *in->error ? in->error : "there is no code");
	if (cookie && strcmp(hash_of(cookie, call->arena), stored) != 0)
		return error_set(call->err, ERROR_MALFORMED, "another sign-in was begun in this browser");
	*owner = uid;
	*end = cookie || in->confirmed ? INSTALL_DONE : INSTALL_ASK;
	if (*end == INSTALL_ASK)
		return 0;
	found = store_end_install(call->db, uid, state, call->err);
	if (found <= 0)
		return found < 0 ? -1 : is_over(call);
	call->owner_id = uid;
	return exchange(call, in, chatbot);
}

/* --- The token from then on ------------------------------------------------------------------------------------------ */

int slack_rotate_later(struct call *call, const char *owner, const char *integration, int64_t seconds)
{
	return job_add(call->db, "slack_rotate", owner, integration,
	               arena_printf(call->arena, "{\"integration\":\"%s\"}", integration),
	               (int)(seconds < LEAST_SECONDS ? LEAST_SECONDS : seconds), call->err);
}

/* 1 written; 0: the row has other secrets than were read, or is gone; -1. */
static int write_renewed(struct call *call, struct integration_row *row, const struct secrets *secrets,
                         int64_t expires)
{
	int put;

	if (secrets_put(call, secrets, row) < 0 || db_begin(call->db, call->err) < 0)
		return -1;
	put = store_put_secrets(call->db, row, call->err);
	if (put >= 0 &&
	    (!put || !expires ||
	     slack_rotate_later(call, row->owner_id, row->id, expires - AHEAD_SECONDS) == 0) &&
	    db_commit(call->db, call->err) == 0)
		return put;
	db_rollback(call->db);
	return -1;
}

/* Loads the row anew. 1 it still has the token that was used, 0: it has another, or is gone; -1. */
static int has_still(struct call *call, struct integration_row *row, const char *used)
{
	struct secrets now;
	int found = store_load(call->db, row->owner_id, row->id, row, call->arena, call->err);

	if (found <= 0)
		return found;
	if (secrets_open(call, row, &now) < 0)
		return -1;
	return now.refresh_token && strcmp(now.refresh_token, used) == 0;
}

/* Whoever has changed the row meanwhile has written the old tokens again, unless he had others: those stay, and he who put them
 * there looks after them. */
static int keep_renewed(struct call *call, struct integration_row *row, const struct secrets *secrets,
                        int64_t expires, const char *used)
{
	int put = write_renewed(call, row, secrets, expires);

	for (int i = 0; put == 0 && i < TRIES; i++) {
		int still = has_still(call, row, used);

		if (still <= 0)
			return still;
		put = write_renewed(call, row, secrets, expires);
	}
	return put < 0 ? -1 : 0;
}

/* Of others that the row has meanwhile, as after a new installation, the refusal says nothing. */
static int tell_refused(struct call *call, struct integration_row *row, const char *detail, const char *used)
{
	int told = store_refuse_secrets(call->db, row, detail, call->err);

	for (int i = 0; told == 0 && i < TRIES; i++) {
		int still = has_still(call, row, used);

		if (still <= 0)
			return still;
		told = store_refuse_secrets(call->db, row, detail, call->err);
	}
	return told < 0 ? -1 : 0;
}

/* What is done by one replica at a time, since it is a job. */
static int renew(struct call *call, struct integration_row *row, struct secrets *secrets)
{
	OWN(json) json_object *answer = NULL;
	const char *why, *used = secrets->refresh_token;
	int64_t expires;
	int said = ask_oauth(call,
	                     (const struct slack_arg[]){ { "client_id", slack_of(call)->client_id },
	                                                 { "client_secret", slack_of(call)->client_secret },
	                                                 { "grant_type", "refresh_token" },
	                                                 { "refresh_token", used },
	                                                 { NULL, NULL } },
	                     &answer, &why);

	if (said < 0)
		return -1;
	if (!said || !json_string(answer, "access_token"))
		return tell_refused(call, row,
		                    arena_printf(call->arena,
		                                 "Slack does not renew the token (%s): install the app anew",
		                                 said ? "no token" : why),
		                    used);
	expires = take_tokens(answer, secrets, call->arena);
	return keep_renewed(call, row, secrets, expires, used);
}

static int run(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	struct integration_row row;
	struct secrets secrets;
	int found;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	found = store_load(call->db, job->owner_id, json_string(payload, "integration"), &row, call->arena,
	                   call->err);
	if (found <= 0)
		return found;
	if (secrets_open(call, &row, &secrets) < 0)
		return -1;
	return secrets.refresh_token ? renew(call, &row, &secrets) : 0;
}

const struct job_kind slack_rotate_job = {
	.kind = "slack_rotate", .run = run, .attempts = 20, .first_pause_ms = 2 * 1000, .lease_ms = 30 * 1000
};

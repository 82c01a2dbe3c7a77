#include "svc-integrations/slack/api.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

enum { ANSWER_MS = 10 * 1000, ANSWER_BYTES = 4 << 20, LONGEST_PAUSE = 3600 };

static void add_escaped(struct text *form, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (const unsigned char *c = (const unsigned char *)value; *c; c++)
		if (strchr(plain, *c))
			text_addc(form, (char)*c);
		else
			text_addf(form, "%%%02X", *c);
}

static void add_form(struct text *form, const struct slack_arg *args)
{
	for (; args->name; args++) {
		if (!args->value)
			continue;
		if (form->length)
			text_addc(form, '&');
		text_adds(form, args->name);
		text_addc(form, '=');
		add_escaped(form, args->value);
	}
}

static int pause_asked_for(const struct egress_response *answer)
{
	const char *after = egress_header(answer, "retry-after");
	long seconds = after ? strtol(after, NULL, 10) : 1;

	return seconds < 1 ? 1 : seconds > LONGEST_PAUSE ? LONGEST_PAUSE : (int)seconds;
}

/* One request; 0 with an answer that is neither 429 nor a failure of Slack's. */
static int exchange(const struct slack *slack, const struct egress_request *request,
                    struct egress_response *answer, struct arena *a, struct error *err)
{
	struct error why = { 0 };

	if (egress_fetch(slack->egress, request, answer, a, &why) < 0) {
		error_set(err, why.code == ERROR_INVALID ? ERROR_UPSTREAM : why.code,
		          "Slack cannot be reached");
		error_detail(err, "%s: %s", request->url, why.message);
		return -1;
	}
	if (answer->status == 429)
		return error_busy(err, pause_asked_for(answer), "Slack asks to wait");
	if (answer->status >= 500) {
		error_set(err, ERROR_UPSTREAM, "Slack has a fault of its own");
		error_detail(err, "%s: HTTP %d", request->url, answer->status);
		return -1;
	}
	return 0;
}

/* Done twice, it would stand there twice; what is exchanged for tokens is used up. */
static bool is_for_once(const char *method)
{
	return strcmp(method, "oauth.v2.access") == 0 || strcmp(method, "chat.postEphemeral") == 0 ||
	       strcmp(method, "chat.postMessage") == 0 || strcmp(method, "chat.startStream") == 0 ||
	       strcmp(method, "chat.appendStream") == 0;
}

int slack_ask(const struct slack *slack, const char *method, const char *token, const struct slack_arg *args,
              json_object **ret, const char **why, struct arena *a, struct error *err)
{
	OWN(json) json_object *body = NULL;
	struct error unreadable = { 0 };
	struct egress_response answer;
	const char *bearer = NULL;
	struct text form;

	text_init(&form, a);
	add_form(&form, args);
	if (token)
		bearer = arena_printf(a, "Authorization: Bearer %s", token);
	if (exchange(slack,
	             &(struct egress_request){
	                 .method = "POST",
	                 .url = arena_printf(a, "%s/%s", slack->url, method),
	                 .headers = (const char *const[]){ "Content-Type: application/x-www-form-urlencoded",
	                                                   bearer, NULL },
	                 .body = form.at ? form.at : "",
	                 .body_size = form.length,
	                 .timeout_ms = ANSWER_MS,
	                 .max_bytes = ANSWER_BYTES,
	                 .once = is_for_once(method),
	             },
	             &answer, a, err) < 0)
		return -1;
	if (json_parse(answer.body, answer.body_size, &body, &unreadable) < 0 ||
	    !json_object_is_type(json_get(body, "ok"), json_type_boolean)) {
		error_set(err, ERROR_UPSTREAM, "Slack's answer cannot be read");
		error_detail(err, "%s: HTTP %d, %s", method, answer.status, unreadable.message);
		return -1;
	}
	*why = json_string(body, "error");
	*why = arena_strdup(a, *why ? *why : "unknown_error");
	*ret = TAKE(body);
	return json_flag(*ret, "ok", 0) ? 1 : 0;
}

int slack_respond(const struct slack *slack, const char *url, const char *json, struct arena *a,
                  struct error *err)
{
	struct egress_response answer;

	if (exchange(slack,
	             &(struct egress_request){
	                 .method = "POST",
	                 .url = url,
	                 .headers = (const char *const[]){ "Content-Type: application/json", NULL },
	                 .body = json,
	                 .body_size = strlen(json),
	                 .timeout_ms = ANSWER_MS,
	                 .max_bytes = ANSWER_BYTES,
	                 .once = true,
	             },
	             &answer, a, err) < 0)
		return -1;
	if (answer.status >= 300)
		return error_set(err, ERROR_INVALID, "Slack does not take the answer any more (HTTP %d)",
		                 answer.status);
	return 0;
}

bool slack_token_is_dead(const char *why)
{
	static const char *const words[] = { "invalid_auth",           "not_authed",    "account_inactive",
		                             "token_revoked",          "token_expired", "org_login_required",
		                             "team_access_not_granted" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(why, words[i]) == 0)
			return true;
	return false;
}

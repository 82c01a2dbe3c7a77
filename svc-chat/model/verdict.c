/* What an attempt came to: a sentence for whoever asked, and whether to ask again. */
#include <string.h>
#include <strings.h>

#include "svc-chat/model/openai.h"
#include "svc-chat/model/pause.h"

/* --- Sentences ---------------------------------------------------------------------------------------------------- */

static const char later[] = "the assistant cannot answer right now; try again later";

static const struct {
	const char *owner, *visitor;
	bool words; /* the provider's own go behind it, for the owner */
	enum verdict verdict;
} sentences[COMPLAINT_KINDS] = {
	[COMPLAINT_REQUEST] = { "the model refused the request", later, true, VERDICT_FAILED },
	[COMPLAINT_KEY] = { "the model's provider does not accept our key", later, false, VERDICT_ELSEWHERE },
	[COMPLAINT_PAYMENT] = { "the model's provider wants to be paid: the balance or quota of the key is used up",
	                        later, true, VERDICT_ELSEWHERE },
	[COMPLAINT_ADDRESS] = { "the model's provider has found nothing at this address, or no such model: are "
	                        "CHAT_BASE_URL (does it end in /v1?) and the model right?",
	                        later, true, VERDICT_ELSEWHERE },
	[COMPLAINT_REDIRECT] = { "the model's provider redirects to another address, which CHAT_BASE_URL must name",
	                         later, false, VERDICT_ELSEWHERE },
	[COMPLAINT_BUSY] = { "the model is too busy; try again later",
	                     "the model is too busy; try again later", false, VERDICT_AGAIN },
	[COMPLAINT_FAILED] = { "the model's provider failed; try again later", later, true, VERDICT_AGAIN },
	[COMPLAINT_CONTEXT] = { "the question, with its conversation and documents, is too long for this model",
	                        "the question is too long for this model", false, VERDICT_SHORTER },
	[COMPLAINT_FILTER] = { "the provider's content filter has withheld the answer",
	                       "the provider's content filter has withheld the answer", false,
	                       VERDICT_FAILED },
};

/* given: in the midst of its answer. */
static enum verdict complain(const struct complaint *c, bool given, const struct model_request *request,
                             const struct endpoint *e, struct arena *a, struct error *err)
{
	enum complaint_kind kind = complaint_kind(c);
	const char *words = complaint_words(c, e->key, a);
	const char *owner =
	    given && kind == COMPLAINT_REQUEST ? "the model broke off its answer" : sentences[kind].owner;

	if (request->for_visitor)
		error_set(err, ERROR_UPSTREAM, "%s", sentences[kind].visitor);
	else
		error_set(err, ERROR_UPSTREAM, "%s%s%s", owner, sentences[kind].words && *words ? ": " : "",
		          sentences[kind].words ? words : "");
	error_detail(err, "status %d%s%s", c->status, *words ? ": " : "", words);
	return sentences[kind].verdict;
}

static enum verdict fail(const struct model_request *request, const char *sentence, const char *detail,
                         enum verdict verdict, struct error *err)
{
	error_set(err, ERROR_UPSTREAM, "%s", request->for_visitor ? later : sentence);
	error_detail(err, "%s%s%s", sentence, *detail ? ": " : "", detail);
	return verdict;
}

/* --- How it ended ------------------------------------------------------------------------------------------------- */

/* finish_reason in its many words. */
static const struct {
	const char *finish, *words[20];
} finishes[] = {
	{ "length",
	  { "length", "max_tokens", "model_length", "max_output_tokens", "max_length", "max_new_tokens",
	    "token_limit", "length_limit", "model_context_window_exceeded", "context_length_exceeded",
	    "error_limit", "repetition_truncation", "max_completion_tokens", "incomplete" } },
	{ "filtered",
	  { "content_filter", "content_filtered", "safety", "image_safety", "sensitive", "recitation",
	    "prohibited_content", "blocklist", "blacklist", "spii", "language", "refusal",
	    "guardrail_intervened", "error_toxic", "moderation" } },
	{ "error",
	  { "error", "network_error", "server_error", "internal_error", "insufficient_system_resource",
	    "engine_overloaded", "overloaded", "abort", "aborted", "cancelled", "canceled", "failed",
	    "timeout", "time_limit", "function_call_filter", "malformed_function_call",
	    "unexpected_tool_call", "too_many_tool_calls" } },
};

/* Some say more behind a colon: "content_filter: PROHIBITED_CONTENT"; some before: "FINISH_REASON_SAFETY". */
static const char *finish_of(const char *word)
{
	static const char prefix[] = "FINISH_REASON_";
	size_t size;

	word = word ? word : "";
	word += strncmp(word, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
	size = strcspn(word, ": ");
	for (size_t i = 0; size && i < sizeof finishes / sizeof *finishes; i++)
		for (const char *const *known = finishes[i].words; *known; known++)
			if (strlen(*known) == size && strncasecmp(word, *known, size) == 0)
				return finishes[i].finish;
	return "stop";
}

static enum verdict finished(const struct hearing *h, const struct model_request *request,
                             struct model_result *result, struct error *err)
{
	const char *finish = finish_of(h->finish);

	if (strcmp(finish, "error") == 0)
		return fail(request, "the model broke off its answer", h->finish,
		            h->given ? VERDICT_FAILED : VERDICT_AGAIN, err);
	result->finish = finish;
	if (h->answered || result->call_count)
		return VERDICT_DONE;
	if (strcmp(finish, "filtered") == 0)
		error_set(err, ERROR_UPSTREAM, "%s", sentences[COMPLAINT_FILTER].owner);
	else if (strcmp(finish, "length") == 0)
		error_set(
		    err, ERROR_UPSTREAM,
		    request->for_visitor
		        ? later
		        : "the model gave no answer: all its tokens went into thinking; raise maxTokens");
	else
		error_set(err, ERROR_UPSTREAM, "the model gave no answer%s",
		          h->thought && !request->for_visitor ? ": all that it wrote was marked as thinking"
		                                              : "");
	error_detail(err, "finish_reason %s", h->finish ? h->finish : "missing");
	return VERDICT_FAILED;
}

/* The transfer itself failed: in our words, since egress names the host. */
static enum verdict unreachable(const struct attempt *x, const struct model_request *request,
                                struct error *err)
{
	enum verdict verdict = VERDICT_AGAIN;

	switch (x->why.code) {
	case ERROR_UNAVAILABLE: error_busy(err, 1, "the answer was interrupted"); return VERDICT_FAILED;
	case ERROR_UNKNOWN_OUTCOME:
		error_set(err, ERROR_UNKNOWN_OUTCOME, "the model did not answer in time");
		error_detail(err, "%s", x->why.message);
		return VERDICT_ELSEWHERE;
	case ERROR_TOO_LARGE:
		return fail(request, "the model's answer is too large", "", VERDICT_FAILED, err);
	case ERROR_INVALID: verdict = VERDICT_ELSEWHERE; break; /* it cannot get better */
	default: break;
	}
	error_set(err, ERROR_UPSTREAM,
	          x->status ? "the model's answer broke off" : "the model cannot be reached");
	error_detail(err, "%s; %s", x->why.message, x->why.detail);
	return verdict;
}

/* An answer came to its end without saying so. */
static enum verdict broke_off(const struct hearing *h, const struct model_request *request, struct error *err)
{
	if (hearing_is_page(h))
		return fail(
		    request,
		    "a web page came back instead of an answer, so that is no API: is CHAT_BASE_URL right?",
		    "", VERDICT_ELSEWHERE, err);
	if (!h->read && h->unread)
		return fail(request, "the model's answer could not be read", "", VERDICT_ELSEWHERE, err);
	error_set(err, ERROR_UPSTREAM, "the model's answer broke off");
	return VERDICT_AGAIN;
}

static enum verdict judge(const struct attempt *x, const struct model_request *request,
                          const struct endpoint *e, struct complaint *c, struct model_result *result,
                          struct arena *a, struct error *err)
{
	const struct hearing *h = &x->hearing;

	*c = (struct complaint){ .words = "", .code = "" };
	if (h->ended)
		return VERDICT_DONE;
	if (x->status && (x->status < 200 || x->status >= 300) &&
	    (x->fetched == 0 || x->why.code != ERROR_UNAVAILABLE)) {
		complaint_read(x->status, h->body.at, h->body.length, c, a);
		return complain(c, false, request, e, a, err);
	}
	if (h->failed || (h->remarked && (!(h->given || result->call_count) || !(h->finished || h->done)))) {
		*c = h->complaint;
		return complain(c, h->given, request, e, a, err);
	}
	if (h->finished || (h->done && h->read > 0))
		return finished(h, request, result, err);
	if (h->too_large)
		return fail(request, "the model's answer is too large", "", VERDICT_FAILED, err);
	return x->fetched < 0 ? unreachable(x, request, err) : broke_off(h, request, err);
}

/* Nothing is asked twice once a piece of the answer was given. */
enum verdict verdict_of(const struct attempt *x, const struct model_request *request,
                        const struct endpoint *e, struct complaint *complaint, struct model_result *result,
                        struct arena *a, struct error *err)
{
	enum verdict verdict = judge(x, request, e, complaint, result, a, err);

	return verdict != VERDICT_DONE && x->hearing.given ? VERDICT_FAILED : verdict;
}

/* --- Pauses ------------------------------------------------------------------------------------------------------- */

int64_t verdict_pause(const struct egress_response *response, int64_t now)
{
	const char *ms = egress_header(response, "retry-after-ms"),
	           *after = egress_header(response, "retry-after");
	int64_t pause = ms ? pause_read(ms, 1, now) : -1;

	return pause < 0 && after ? pause_read(after, 1000, now) : pause;
}

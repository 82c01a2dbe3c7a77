#include "svc-integrations/slack/ask.h"

#include <string.h>

#include "chat.client.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/json/json_message.h"
#include "common/rpc/rpc.h"
#include "shapes.h"

enum {
	NEXT_MS = 10 * 1000,
	ANSWER_MS = 8 * 60 * 1000, /* for all of an answer */
	TRIES = 8,                 /* turns that may fail, one after another */
};

void slack_session_of(const char *integration, const char *chatbot, const char *channel, const char *thread,
                      char id[37])
{
	char hash[65];
	struct text place;
	struct arena a;

	arena_init(&a, 0);
	text_init(&place, &a);
	text_addf(&place, "slack/%s/%s/%s/%s", integration, chatbot, channel, thread);
	sha256_hex(hash, place.at, place.length);
	arena_done(&a);
	hash[12] = '8'; /* a UUID of a version that is free for such use */
	hash[16] = 'a';
	memcpy(id, hash, 8);
	id[8] = '-';
	memcpy(id + 9, hash + 8, 4);
	id[13] = '-';
	memcpy(id + 14, hash + 12, 4);
	id[18] = '-';
	memcpy(id + 19, hash + 16, 4);
	id[23] = '-';
	memcpy(id + 24, hash + 20, 12);
	id[36] = '\0';
}

/* --- Following it --------------------------------------------------------------------------------------------------- */

struct following {
	struct call *call;
	const struct slack_ask *ask;
	const char *message; /* its id */
	struct text text;    /* so far */
	Chat__Message *ret;
	enum { GOES_ON, COMPLETE, FAILED } end;
};

static int take_event(struct following *f, const Rpc__Event *event)
{
	OWN(json) json_object *data = NULL;
	struct error *err = f->call->err;
	const char *words;

	if (json_parse(event->data, strlen(event->data), &data, err) < 0)
		return -1;
	if (strcmp(event->name, "delta") == 0 && (words = json_string(data, "text")))
		text_adds(&f->text, words);
	if (strcmp(event->name, "error") == 0)
		f->end = FAILED;
	if (strcmp(event->name, "done") != 0)
		return 0;
	f->end = COMPLETE;
	return json_to_message(json_get(data, "message"), &shape_chat__message, &f->ret->base, f->call->arena,
	                       err);
}

/* Each answer of Next in an arena of its own, so that a long answer does not pile up. */
static int step(struct following *f, const char *stream, int64_t *after, struct arena *a)
{
	const struct call *call = f->call;
	Rpc__Caller reader = RPC__CALLER__INIT; /* of a visitor's answer, as AskOutside opens it */
	const struct rpc_context ctx = { .arena = a,
		                         .err = call->err,
		                         .caller = &reader,
		                         .request_id = call->request_id,
		                         .deadline = clock_unix_ms() + 2 * NEXT_MS };
	size_t had = f->text.length;
	Rpc__NextReply *news;

	reader.has_kind = true;
	reader.kind = RPC__CALLER__KIND__VISITOR;
	if (rpc_next(service_peer(call->service, "chat"), &ctx, stream, *after, NEXT_MS, &news) < 0)
		return -1;
	for (size_t i = 0; i < news->n_events; i++) {
		if (take_event(f, news->events[i]) < 0)
			return -1;
		*after = news->events[i]->sequence;
	}
	if (f->end == GOES_ON && news->end)
		f->end = FAILED;
	return f->end == GOES_ON && f->text.length != had
	           ? f->ask->on_text(f->ask->arg, f->ask->session, f->message, f->text.at)
	           : 0;
}

static int follow(struct following *f, const Chat__OutsideTurn *turn)
{
	int64_t until = clock_unix_ms() + ANSWER_MS, after = turn->after;
	int rc = 0;

	f->message = turn->message_id;
	text_init(&f->text, f->call->arena);
	text_adds(&f->text, "");
	while (rc == 0 && f->end == GOES_ON) {
		struct arena a;

		if (atomic_load(f->call->cancelled))
			return error_busy(f->call->err, 1, "stopping");
		if (clock_unix_ms() > until)
			return error_set(f->call->err, ERROR_UNKNOWN_OUTCOME, "the answer takes too long");
		arena_init(&a, 0);
		rc = step(f, turn->stream, &after, &a);
		arena_done(&a);
	}
	return rc;
}

/* --- Asking --------------------------------------------------------------------------------------------------------- */

static bool has_failed(const char *status)
{
	return strcmp(status, "failed") == 0 || strcmp(status, "interrupted") == 0;
}

/* Others came in between, so that it is not the last one there: then it is asked once more. */
static int ask_once(struct call *call, Chat__OutsideQuestion *in, Chat__OutsideTurn **ret)
{
	struct peer *chat = service_peer(call->service, "chat");

	if (chat_client_ask_outside(chat, call, in, ret) == 0)
		return 0;
	if (call->err->code != ERROR_CONFLICT)
		return -1;
	error_clear(call->err);
	if (!in->again)
		return error_busy(call->err, 2, "too many questions wait there");
	in->again = NULL;
	return chat_client_ask_outside(chat, call, in, ret);
}

/* The turn of this job: the one that it began in an earlier run, or a new one where that has failed. */
static int begin(struct call *call, const struct slack_ask *ask, Chat__OutsideTurn **ret)
{
	Chat__OutsideQuestion in = CHAT__OUTSIDE_QUESTION__INIT;

	in.session_id = (char *)ask->session;
	in.chatbot_id = (char *)ask->chatbot;
	in.content = (char *)ask->question;
	in.origin = (char *)"slack";
	in.history = ask->history;
	in.n_history = ask->history_count;
	for (int i = 0; i < TRIES; i++) {
		in.key = arena_printf(call->arena, "%s/%d", ask->job, i);
		if (ask_once(call, &in, ret) < 0)
			return -1;
		if (!has_failed((*ret)->status))
			return 0;
		in.again = (*ret)->message_id;
	}
	return error_set(call->err, ERROR_INVALID, "the answer failed %d times", TRIES);
}

int slack_ask_chat(struct call *call, const struct slack_ask *ask, Chat__Message *ret)
{
	struct following f = { .call = call, .ask = ask, .ret = ret };
	Chat__OutsideTurn *turn;

	if (begin(call, ask, &turn) < 0 || follow(&f, turn) < 0)
		return -1;
	return f.end == FAILED ? error_set(call->err, ERROR_UPSTREAM, "the answer failed") : 0;
}

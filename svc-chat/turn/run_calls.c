/* Calls of tools that run: each is a stored step before it is sent, and stored again when its result is there. One that may
 * be made twice is stored as ready until then: whoever takes the turn over makes it anew. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/oauth/bearer.h"
#include "svc-chat/state.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/tools/run.h"
#include "svc-chat/turn/questions.h"
#include "svc-chat/turn/rounds.h"

enum {
	AT_ONCE = 8,
	SIGN_IN_MS = 5000, /* for a token to be renewed, or a sign-in to be begun */
	TRIES = 2,         /* with other tokens */
	PROGRESS_MS = 100, /* between two events of one call, at least */
	STORE_AGAIN_MS = 500,
	STORE_PATIENCE_MS = 30 * 1000,
};

static const char unknown_outcome[] =
    "The call was sent, and no answer came: nobody knows whether it was done. Do not repeat it; tell the user.";

struct store_writer rounds_writer(const struct rounds *r)
{
	return (struct store_writer){ r->writer->owner, r->writer->message_id, r->writer->attempt };
}

/* --- Ending ------------------------------------------------------------------------------------------------------------- */

static void count(struct rounds *r, const struct tool_step *call)
{
	const char *labels = arena_printf(r->call->arena, "kind=\"%s\",result=\"%s\"",
	                                  call->call->server ? "mcp" : "builtin", call->call->status);

	metric_add(metrics_get(service_metrics(r->call->service), METRIC_COUNTER, "chat_tool_calls_total",
	                       labels, "Calls of tools that models wanted, by what became of them."),
	           1);
}

/* A database that is away comes back, or it does not. */
static bool again(const struct rounds *r, int64_t until)
{
	if ((r->call->err->code != ERROR_UNAVAILABLE && r->call->err->code != ERROR_UNKNOWN_OUTCOME) ||
	    clock_mono_ms() > until || atomic_load(r->call->cancelled))
		return false;
	error_clear(r->call->err);
	nanosleep(&(struct timespec){ .tv_nsec = STORE_AGAIN_MS * 1000000L }, NULL);
	return true;
}

int rounds_done(struct rounds *r, struct tool_step *call, const char *status, const char *text,
                ProtobufCBinaryData passages)
{
	struct store_writer w = rounds_writer(r);
	int64_t until = clock_mono_ms() + STORE_PATIENCE_MS;
	struct event event;
	int kept;

	(void)store_cancel_questions(call, r->call->arena);
	call->detail->resume = NULL;
	call->detail->n_answers = 0;
	call->state = "done";
	call->result = text;
	call->call->status = (char *)status;
	call->call->content = arena_strndup(r->call->arena, text, utf8_clip(text, strlen(text), STORE_SHOWN));
	do
		kept = store_keep_call(r->call->db, &w, call, passages, r->call->arena, r->call->err);
	while (kept < 0 && again(r, until));
	if (kept < 0)
		return -1;
	if (kept) {
		event = event_tool_result(call->call, r->call->arena);
		stream_append(r->writer->stream, event.name, event.data);
	}
	count(r, call);
	return 0;
}

/* --- Running side by side ------------------------------------------------------------------------------------------------- */

struct running {
	struct rounds *rounds;
	struct tool_step *call;
	struct tool_run run;
	struct arena arena;
	int64_t told; /* when progress was told last */
	struct question question;
	bool stored;
};
struct together {
	struct running at[AT_ONCE];
	size_t count;
	bool failed; /* something could not be stored */
};

static void on_progress(void *arg, double progress, double total, const char *message)
{
	struct running *x = arg;
	int64_t now = clock_mono_ms();
	struct event event;
	struct arena a;

	if (!isfinite(progress) || !isfinite(total) || now - x->told < PROGRESS_MS)
		return;
	x->told = now;
	arena_init(&a, 0);
	event = event_progress(
	    x->call->call->id, progress, total,
	    message ? arena_strndup(&a, message, utf8_clip(message, strlen(message), 500)) : NULL, &a);
	stream_append(x->rounds->writer->stream, event.name, event.data);
	arena_done(&a);
}

/* The answer comes later. */
static json_object *ask_user(void *arg, json_object *params)
{
	struct running *x = arg;

	question_put(&x->question, params, &x->arena);
	return NULL;
}

static void wake(void *task)
{
	service_task_wake(task);
}

/* What came of it, for the model. */
static const char *judge(const struct running *x, const char **status, struct arena *a)
{
	const struct error *err = &x->run.err;
	bool lost = (err->code == ERROR_UNKNOWN_OUTCOME || err->code == ERROR_UNAVAILABLE) && x->run.sent &&
	            !x->call->detail->repeatable;

	*status = !err->code ? x->run.failed ? "failed" : "done" : lost ? "unknown" : "failed";
	if (!err->code)
		return arena_strdup(a, x->run.text);
	if (strcmp(*status, "unknown") == 0)
		return unknown_outcome;
	return arena_printf(a, "The tool could not be called: %s", err->message);
}

/* A token that its user has by now, where none was sent; else another than the one that was. As bearer_after(). */
static int find_another(struct running *x, const char **bearer, const char **url)
{
	const struct server_row *server = x->run.tool->server;
	struct call *call = x->rounds->call;
	int found = x->run.bearer ? 0 : bearer_find(call, server, SIGN_IN_MS, bearer);

	return found ? found
	             : bearer_after(call, server, x->run.bearer, x->run.err.code, x->run.challenge,
	                            SIGN_IN_MS, bearer, url);
}

/* It was certainly not done: once more with another token; or its user signs in first, and the turn waits for that. */
static int refused(struct running *x)
{
	struct store_writer w = rounds_writer(x->rounds);
	struct call *call = x->rounds->call;
	const char *bearer = NULL, *url = NULL;
	int another = find_another(x, &bearer, &url);
	struct event event;

	if ((another > 0 && x->call->detail->tries >= TRIES) || another < 0 || (another == 0 && !url)) {
		const char *why = arena_printf(
		    call->arena, "The tool's server wants its user to sign in, which is not possible now: %s",
		    call->err->code ? call->err->message : x->run.err.message);

		error_clear(call->err);
		return rounds_done(x->rounds, x->call, "failed", why, (ProtobufCBinaryData){ 0 });
	}
	error_clear(call->err);
	x->call->detail->has_tries = true;
	x->call->detail->tries++;
	x->call->state = another ? "ready" : "waiting";
	x->call->call->status = (char *)(another ? "running" : "waiting");
	x->call->call->oauth_url = (char *)url;
	if (store_keep_call(call->db, &w, x->call, (ProtobufCBinaryData){ 0 }, call->arena, call->err) < 0)
		return -1;
	if (url) {
		event = event_oauth(x->call->call, call->arena);
		stream_append(x->rounds->writer->stream, event.name, event.data);
	}
	return 0;
}

/* A file that is not kept is not shown; the model is told that there was one. *text: for it. */
static void keep_files(struct running *x, const char **text)
{
	struct rounds *r = x->rounds;
	struct store_writer w = rounds_writer(r);
	Chat__Attachment **list = arena_new(r->call->arena, Chat__Attachment *, RESULT_FILES);
	int lost = 0;

	x->call->call->attachments = list;
	x->call->call->n_attachments = 0;
	for (size_t i = 0; i < x->run.file_count; i++) {
		const struct result_file *file = &x->run.files[i];
		Chat__Attachment *told = arena_new(r->call->arena, Chat__Attachment, 1);
		ProtobufCBinaryData data = { .data = (uint8_t *)file->data, .len = file->size };
		char id[UUID_TEXT];

		uuid_make(id);
		if (file->data && store_add_attachment(r->call->db, &w, id, file->name, file->type, data,
		                                       r->chat->files_bytes, r->call->err) <= 0) {
			error_clear(r->call->err);
			lost++;
			continue;
		}
		chat__attachment__init(told);
		told->id = arena_strdup(r->call->arena, id);
		told->kind = (char *)file->kind;
		told->name = arena_strdup(r->call->arena, file->name);
		told->type = arena_strdup(r->call->arena, file->type);
		told->uri = arena_strdup(r->call->arena, file->uri);
		told->has_size = file->data != NULL;
		told->size = (int64_t)file->size;
		list[x->call->call->n_attachments++] = told;
	}
	if (lost)
		*text = arena_printf(r->call->arena,
		                     "%s\n[%d of the files could not be kept: there is no room for more.]",
		                     *text, lost);
}

static int keep(struct running *x)
{
	struct rounds *r = x->rounds;
	const char *status, *text = judge(x, &status, r->call->arena);

	x->stored = true;
	if (x->run.m.tools_changed &&
	    store_forget_tools(r->call->db, r->call->owner_id, x->run.tool->server->id, r->call->err) < 0)
		error_clear(r->call->err); /* they are asked for again in a while, anyway */
	if (atomic_load(&r->writer->why) == WRITER_INTERRUPTED && x->call->detail->repeatable &&
	    x->run.err.code)
		return 0; /* whoever goes on calls it again */
	if (!x->run.err.code && x->run.pause.resume)
		return questions_pause(r, x->call, &x->run.pause);
	if (bearer_is_wanted(x->run.err.code, x->run.challenge, r->call->arena))
		return refused(x);
	if (x->run.err.code && x->run.unheard && x->run.err.code != ERROR_UNAVAILABLE &&
	    servers_note_silence(r->call, x->run.tool->server, &x->run.err) < 0)
		error_clear(r->call->err); /* it will be found out again */
	if (x->run.err.code)
		log_line(LOG_INFO, "a tool was not called", LOG_TEXT("request", r->call->request_id),
		         LOG_TEXT("why", x->run.err.message), LOG_TEXT("detail", x->run.err.detail));
	if (x->run.file_count)
		keep_files(x, &text);
	return rounds_done(r, x->call, status, text, (ProtobufCBinaryData){ 0 });
}

/* An answer is handed on; another question may follow. */
static void serve_question(struct running *x)
{
	for (const char *answer; (answer = question_serve(&x->question, x->rounds, x->call)) != NULL;) {
		OWN(json) json_object *object = NULL;
		struct error err = { 0 };

		if (json_parse(answer, strlen(answer), &object, &err) == 0)
			mcp_answer(&x->run.m, object);
	}
}

/* True while it waits; else it is stored. */
static bool go_on(struct running *x, struct together *t)
{
	if (tool_go_on(&x->run)) {
		serve_question(x);
		return true;
	}
	question_give_up(&x->question, x->rounds, x->call);
	if (keep(x) < 0)
		t->failed = true;
	tool_end(&x->run);
	return false;
}

static int prepare(struct rounds *r, struct tool_step *call, struct running *x)
{
	const struct tool *tool = toolbox_find(&r->box, call->call->name);
	int64_t left = r->until - clock_mono_ms(), most = r->chat->tool_seconds * 1000;

	*x = (struct running){ .rounds = r, .call = call };
	x->run = (struct tool_run){
		.egress = r->chat->egress,
		.sessions = r->chat->idle,
		.owner = r->call->owner_id,
		.tool = tool,
		.arguments = call->call->arguments,
		.ms = (int)(left < 1      ? 1
		            : left < most ? left
		                          : most),
		.cancelled = &r->writer->stop,
		.wake = wake,
		.wake_arg = r->call->task,
		.on_progress = on_progress,
		.ask_user = ask_user,
		.arg = x,
	};
	if (servers_headers(r->call, tool->server, &x->run.headers) < 0 ||
	    questions_resume(r, call, &x->run.resume, &x->run.answers) < 0)
		return -1;
	if ((tool->server->signed_in || call->detail->tries) &&
	    bearer_find(r->call, tool->server, x->run.ms < SIGN_IN_MS ? x->run.ms : SIGN_IN_MS,
	                &x->run.bearer) < 0) {
		x->run.err = *r->call->err; /* its provider is away */
		error_clear(r->call->err);
	}
	return 0;
}

/* It is sent at most once: from now on, whatever becomes of us. 1, 0: it is not ours to send, -1. */
static int take(struct rounds *r, const struct tool_step *call)
{
	struct store_writer w = rounds_writer(r);
	int taken = store_start_call(r->call->db, &w, call, r->call->arena, r->call->err);

	if (taken == 0)
		writer_stop(r->writer, WRITER_LOST);
	return taken;
}

static int start(struct rounds *r, struct tool_step *call, struct together *t)
{
	struct running *x = &t->at[t->count];
	int taken;

	if (prepare(r, call, x) < 0)
		return -1;
	call->call->status = (char *)"running";
	taken = call->detail->repeatable ? 1 : take(r, call);
	if (taken <= 0)
		return taken;
	call->state = "running";
	arena_init(&x->arena, 0);
	tool_begin(&x->run, &x->arena);
	t->count++;
	return 0;
}

static void end(struct rounds *r, struct together *t)
{
	int64_t held = 0;

	for (size_t i = 0; i < t->count; i++) {
		held = t->at[i].question.held > held ? t->at[i].question.held : held;
		arena_done(&t->at[i].arena);
	}
	r->until += held; /* waiting for people does not count; they waited side by side */
	r->running = NULL;
}

int rounds_go_on(struct rounds *r)
{
	struct together *t = r->running;
	size_t waiting = 0;

	r->wake_at = 0;
	for (size_t i = 0; i < t->count; i++) {
		struct running *x = &t->at[i];
		int64_t at;

		if (x->stored || !go_on(x, t))
			continue;
		waiting++;
		at = x->run.m.until;
		if (x->question.params && (!at || x->question.look_at < at))
			at = x->question.look_at;
		if (at && (!r->wake_at || at < r->wake_at))
			r->wake_at = at;
	}
	if (waiting)
		return 1;
	end(r, t);
	return t->failed ? -1 : 0;
}

static int run_servers_tools(struct rounds *r, struct tool_step **calls, size_t count)
{
	struct together *t = arena_new(r->call->arena, struct together, 1);

	r->running = t;
	for (size_t i = 0; i < count && !t->failed; i++)
		t->failed = start(r, calls[i], t) < 0;
	return rounds_go_on(r);
}

static int run_builtin(struct rounds *r, struct tool_step *call)
{
	ProtobufCBinaryData passages = { 0 };
	const char *status, *text;

	if (builtin_run(r, call, &status, &text, &passages) < 0)
		return -1;
	return rounds_done(r, call, status, text, passages);
}

int rounds_run(struct rounds *r, struct tool_step **calls, size_t count)
{
	struct tool_step *together[AT_ONCE];
	size_t n = 0;

	for (size_t i = 0; i < count && n < AT_ONCE; i++) {
		if (calls[i]->call->server)
			together[n++] = calls[i];
		else if (run_builtin(r, calls[i]) < 0)
			return -1;
	}
	return n ? run_servers_tools(r, together, n) : 0;
}

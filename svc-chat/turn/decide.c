/* What people say to calls of tools that wait for them. */
#include <stdlib.h>
#include <string.h>

#include "chat.methods.h"
#include "common/base/log.h"
#include "common/json/json.h"
#include "svc-chat/state.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/tools/elicit.h"
#include "svc-chat/tools/schema.h"
#include "svc-chat/tools/toolbox.h"
#include "svc-chat/turn/keep.h"
#include "svc-chat/turn/turn.h"

static int find(struct call *call, const char *session, const char *id, const char **message_id,
                struct tool_step *ret)
{
	if (db_must_find(store_find_call(call->db, call->owner_id, session, id, message_id, ret, call->arena,
	                                 call->err),
	                 "tool call", call->err) < 0)
		return -1;
	if (!step_is(ret, "waiting"))
		return error_set(call->err, ERROR_CONFLICT, "this call does not wait for anybody (it is %s)",
		                 ret->call->status);
	return 0;
}

/* Whoever holds the turn goes on with it: here, at another replica, or, where nobody does, who takes it over: we do. */
static void go_on(struct call *call, const char *message_id)
{
	const struct chat *chat = chat_state(call);

	if (keeper_begin(chat->keeper, message_id))
		return;
	keeper_seek(chat->keeper);
	if (store_tell(call->db, "begin", message_id, call->err) < 0) {
		log_line(LOG_WARN, "a turn goes on later", LOG_TEXT("detail", call->err->detail));
		error_clear(call->err);
	}
}

static int decide(struct call *call, const char *session, const char *message_id,
                  const struct tool_step *step, Chat__ToolCall *out)
{
	bool goes_on;
	int decided = store_decide(call->db, call->owner_id, session, message_id, step, &goes_on, call->arena,
	                           call->err);

	if (decided < 0)
		return -1;
	if (!decided)
		return error_set(call->err, ERROR_CONFLICT, "this call does not wait for anybody any more");
	if (goes_on)
		go_on(call, message_id);
	*out = *step->call;
	return 0;
}

/* --- Approving ---------------------------------------------------------------------------------------------------------- */

static int find_tool(struct call *call, const char *session, const struct tool_step *step,
                     const struct tool **ret)
{
	struct server_row *rows;
	struct toolbox box;
	size_t count;

	if (servers_all(call, &rows, &count) < 0 || toolbox_fill(call, rows, count, session, &box) < 0)
		return -1;
	for (size_t i = 0; i < box.count; i++)
		if (box.tools[i].server->id == step->call->server_id &&
		    strcmp(box.tools[i].own_name, step->detail->tool) == 0) {
			*ret = &box.tools[i];
			return 0;
		}
	return error_set(call->err, ERROR_CONFLICT, "this tool is not there any more");
}

static int check_arguments(struct call *call, const struct tool *tool, const char *arguments)
{
	OWN(json) json_object *value = NULL, *schema = NULL;
	struct text why;

	text_init(&why, call->arena);
	if (json_parse(arguments, strlen(arguments), &value, call->err) < 0 ||
	    json_parse(tool->schema, strlen(tool->schema), &schema, call->err) < 0)
		return -1;
	if (!schema_check(schema, value, &why))
		return error_field(call->err, call->arena, "body", "arguments", "value_error",
		                   "are not what the tool takes: %.200s", why.at);
	return 0;
}

static int remember(struct call *call, const char *session, const struct tool_step *step, const char *scope)
{
	const Chat__ToolDetail *detail = step->detail;

	if (scope && strcmp(scope, "chat") == 0)
		return store_allow_in_session(call->db, call->owner_id, session, step->call->server_id,
		                              detail->tool, detail->digest, call->err);
	if (scope && strcmp(scope, "always") == 0)
		return store_set_policy(call->db, call->owner_id, step->call->server_id, detail->tool,
		                        "allow", detail->digest, call->err);
	return 0;
}

int turn_approve(struct call *call, const char *session, const char *id, const char *scope,
                 const char *arguments, Chat__ToolCall *out)
{
	const struct tool *tool = NULL;
	const char *message_id;
	struct tool_step step;

	if (find(call, session, id, &message_id, &step) < 0 || find_tool(call, session, &step, &tool) < 0)
		return -1;
	if (step.detail->resume)
		return error_set(call->err, ERROR_CONFLICT,
		                 "this call waits for an answer to what its server asks");
	if (strcmp(tool->digest, step.detail->digest) != 0)
		return error_set(call->err, ERROR_CONFLICT,
		                 "this tool has changed since the call was made: deny it and ask again");
	if (arguments && strcmp(arguments, step.call->arguments) != 0) {
		if (check_arguments(call, tool, arguments) < 0)
			return -1;
		step.call->arguments = (char *)arguments;
		step.detail->has_edited = step.detail->edited = true;
	}
	step.state = "ready";
	step.call->status = (char *)"running";
	step.call->oauth_url = NULL;
	if (remember(call, session, &step, scope) < 0)
		return -1;
	return decide(call, session, message_id, &step, out);
}

void turn_signed_in(struct call *call, const char *owner, int64_t server_id)
{
	struct store_asked *asked;
	size_t count;
	bool goes_on = false;
	int done = store_wait_for_sign_in(call->db, owner, server_id, &asked, &count, call->arena, call->err);

	for (size_t i = 0; i < count && done >= 0; i++) {
		asked[i].call.state = "ready";
		asked[i].call.call->status = (char *)"running";
		asked[i].call.call->oauth_url = NULL;
		done = store_decide(call->db, owner, asked[i].session, asked[i].message_id, &asked[i].call,
		                    &goes_on, call->arena, call->err);
		if (done > 0 && goes_on)
			go_on(call, asked[i].message_id);
	}
	if (done < 0) {
		log_line(LOG_WARN, "calls of tools still wait for a sign-in",
		         LOG_TEXT("detail", call->err->detail));
		error_clear(call->err);
	}
}

/* --- Answering ---------------------------------------------------------------------------------------------------------- */

/* "<id of the call>-<place>". 0, or -1 with ERROR_NOT_FOUND. */
static int find_question(struct call *call, const char *session, const char *id, const char **message_id,
                         struct tool_step *ret, size_t *place)
{
	const char *of = arena_strndup(call->arena, id, UUID_TEXT - 1);
	const char *digits = strlen(id) > UUID_TEXT && id[UUID_TEXT - 1] == '-' ? id + UUID_TEXT : "";
	size_t n = strspn(digits, "0123456789");

	*place = n ? strtoul(digits, NULL, 10) : SIZE_MAX;
	if (!n || n > 3 || digits[n] || !uuid_valid(of))
		return error_set(call->err, ERROR_NOT_FOUND, "no such question");
	if (db_must_find(store_find_call(call->db, call->owner_id, session, of, message_id, ret, call->arena,
	                                 call->err),
	                 "question", call->err) < 0)
		return -1;
	return *place < ret->call->n_elicitations ? 0
	                                          : error_set(call->err, ERROR_NOT_FOUND, "no such question");
}

static bool waits_for_answers(const Chat__ToolCall *call)
{
	for (size_t i = 0; i < call->n_elicitations; i++)
		if (!call->elicitations[i]->action)
			return true;
	return false;
}

/* The last one is answered: the call goes on, in whoever holds it or runs it anew. */
static int take_answer(struct call *call, const char *session, const char *message_id, struct tool_step *step,
                       ProtobufCBinaryData before)
{
	const char *was = step->state;
	bool goes_on;
	int taken;

	if (!waits_for_answers(step->call)) {
		step->state = strcmp(was, "waiting") == 0 ? "ready" : was;
		step->call->status = (char *)"running";
	}
	taken = store_answer(call->db, call->owner_id, session, message_id, step, was, before, &goes_on,
	                     call->arena, call->err);
	if (taken < 0)
		return -1;
	if (!taken)
		return error_set(call->err, ERROR_CONFLICT,
		                 "this call has changed meanwhile: look at it again");
	if (goes_on)
		go_on(call, message_id);
	return 0;
}

int turn_answer(struct call *call, const char *session, const char *id, const char *action,
                const char *content, Chat__ToolCall *out)
{
	const char *message_id, *answer;
	ProtobufCBinaryData before;
	struct tool_step step;
	struct text why;
	size_t place;

	text_init(&why, call->arena);
	if (find_question(call, session, id, &message_id, &step, &place) < 0)
		return -1;
	if (step.call->elicitations[place]->action || place >= step.detail->n_answers)
		return error_set(call->err, ERROR_CONFLICT,
		                 "this question does not wait for an answer (any more)");
	before = step_pack(&step.detail->base, call->arena);
	answer = elicit_answer(step.call->elicitations[place], action, content, &why, call->arena);
	if (!answer)
		return error_field(call->err, call->arena, "body", "content", "value_error",
		                   "is not what is asked for: %.300s", why.at);
	step.call->elicitations[place]->action = (char *)action;
	step.detail->answers[place] = (char *)answer;
	if (take_answer(call, session, message_id, &step, before) < 0)
		return -1;
	*out = *step.call;
	return 0;
}

/* --- Denying ------------------------------------------------------------------------------------------------------------ */

int turn_deny(struct call *call, const char *session, const char *id, const char *reason, Chat__ToolCall *out)
{
	ProtobufCBinaryData before;
	const char *message_id;
	struct tool_step step;

	if (find(call, session, id, &message_id, &step) < 0)
		return -1;
	before = step_pack(&step.detail->base, call->arena);
	if (store_cancel_questions(&step, call->arena)) { /* it was sent: its server is told */
		step.state = "waiting";
		if (take_answer(call, session, message_id, &step, before) < 0)
			return -1;
		*out = *step.call;
		return 0;
	}
	step.result = reason && *reason ? arena_printf(call->arena, "The user denied this call: %s", reason)
	                                : "The user denied this call.";
	step.state = "failed";
	step.call->status = (char *)"denied";
	step.call->content = (char *)step.result;
	return decide(call, session, message_id, &step, out);
}

void turn_deny_all(struct call *call, const char *session)
{
	const char *message_id;

	if (store_deny_all(call->db, call->owner_id, session,
	                   "The user did not approve this call, but wrote another message.", &message_id,
	                   call->arena,
	                   call->err) < 0) { /* then they wait on, and the new message behind them */
		log_line(LOG_WARN, "calls of tools still wait", LOG_TEXT("detail", call->err->detail));
		error_clear(call->err);
	}
	if (message_id)
		go_on(call, message_id);
}

/* Questions that come from outside (Slack), through svc-integrations: turns like a visitor's. */
#include "chat.methods.h"
#include "svc-chat/model/model.h"
#include "svc-chat/store.h"
#include "svc-chat/store_handover.h"
#include "svc-chat/turn/events.h"
#include "svc-chat/turn/turn.h"

static struct model_message *history_of(const Chat__OutsideQuestion *in, struct arena *a)
{
	struct model_message *list = arena_new(a, struct model_message, in->n_history);

	for (size_t i = 0; i < in->n_history; i++) {
		list[i].role = in->history[i]->role ? in->history[i]->role : "";
		list[i].content = in->history[i]->content ? in->history[i]->content : "";
	}
	return list;
}

int chat_ask_outside(struct call *call, const Chat__OutsideQuestion *in, Chat__OutsideTurn *out)
{
	Rpc__Started started = RPC__STARTED__INIT;
	struct turn_question question = { .session = in->session_id,
		                          .content = in->again ? NULL : in->content,
		                          .again = in->again,
		                          .reader = EVENTS_VISITOR,
		                          .chatbot = in->chatbot_id,
		                          .origin = in->origin,
		                          .history = history_of(in, call->arena),
		                          .history_count = in->n_history };
	struct call keyed = *call;
	struct store_turn turn;

	if (!call->owner_id || !in->session_id || !in->chatbot_id || !in->content || !in->key)
		return error_set(call->err, ERROR_INVALID,
		                 "a question without its owner, place, key or words");
	keyed.idempotency_key = in->key;
	if (turn_begin(&keyed, &question, &turn) < 0 ||
	    turn_follow(call, in->session_id, &turn, EVENTS_VISITOR, &started) < 0)
		return -1;
	out->stream = started.stream;
	out->has_after = true;
	out->after = started.after;
	out->message_id = (char *)turn.message_id;
	out->status = (char *)turn.status;
	return 0;
}

int chat_get_outside(struct call *call, const Chat__OutsideMessage *in, Chat__Message *out)
{
	if (!call->owner_id || !in->session_id || !in->message_id)
		return error_set(call->err, ERROR_INVALID, "a message without its owner or place");
	return db_must_find(store_get_message(call->db, call->owner_id, in->session_id, in->message_id, out,
	                                      call->arena, call->err),
	                    "message", call->err);
}

int chat_hand_over_outside(struct call *call, const Chat__OutsideHandover *in, Rpc__Empty *out)
{
	(void)out;
	if (!call->owner_id || !in->session_id || !in->contact)
		return error_set(call->err, ERROR_INVALID, "a handover without its owner, place or contact");
	return store_hand_over(call->db, call->owner_id, in->session_id, in->contact, call->arena,
	                       call->err) < 0
	           ? -1
	           : 0;
}

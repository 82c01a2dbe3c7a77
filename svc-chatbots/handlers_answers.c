/* The methods about answers that the owner wrote beforehand. */
#include "chatbots.methods.h"
#include "common/base/id.h"
#include "common/service/call.h"
#include "svc-chatbots/changing.h"
#include "svc-chatbots/store.h"

static int get(struct call *call, const char *chatbot, const char *id, Chatbots__Answer *out)
{
	return db_must_find(
	    store_get_answer(call->db, call->owner_id, chatbot, id, out, call->arena, call->err),
	    "answer of this chatbot", call->err);
}

int chatbots_list_answers(struct call *call, const Chatbots__ListAnswersRequest *in,
                          Chatbots__AnswerList *out)
{
	Chatbots__Chatbot bot = CHATBOTS__CHATBOT__INIT;

	if (db_must_find(store_get(call->db, call->owner_id, in->chatbot_id, &bot, call->arena, call->err),
	                 "chatbot", call->err) < 0)
		return -1;
	return store_list_answers(call->db, call->owner_id, in->chatbot_id, in->cursor, in->limit, out,
	                          call->arena, call->err);
}

static int create(struct call *call, const Chatbots__CreateAnswerRequest *in, Chatbots__Answer *out)
{
	const char *settings;
	char id[UUID_TEXT];

	uuid_make(id);
	if (changing_lock(call, in->chatbot_id, &settings) < 0 ||
	    store_add_answer(call->db, call->owner_id, in->chatbot_id, id, in->questions, in->n_questions,
	                     in->answer, !in->has_enabled || in->enabled, call->arena, call->err) < 0)
		return -1;
	return get(call, in->chatbot_id, id, out);
}

int chatbots_create_answer(struct call *call, const Chatbots__CreateAnswerRequest *in, Chatbots__Answer *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ANSWERS, create(call, in, out));
}

static int update(struct call *call, const Chatbots__UpdateAnswerRequest *in, Chatbots__Answer *out)
{
	bool enabled = in->enabled;
	const char *settings;

	if (changing_lock(call, in->chatbot_id, &settings) < 0 ||
	    get(call, in->chatbot_id, in->answer_id, out) < 0 ||
	    store_update_answer(call->db, call->owner_id, in->chatbot_id, in->answer_id, in->questions,
	                        in->n_questions, in->answer, in->has_enabled ? &enabled : NULL, call->arena,
	                        call->err) < 0)
		return -1;
	chatbots__answer__init(out);
	return get(call, in->chatbot_id, in->answer_id, out);
}

int chatbots_update_answer(struct call *call, const Chatbots__UpdateAnswerRequest *in, Chatbots__Answer *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ANSWERS, update(call, in, out));
}

static int delete (struct call *call, const Chatbots__AnswerRequest *in)
{
	return db_must_find(
	    store_delete_answer(call->db, call->owner_id, in->chatbot_id, in->answer_id, call->err),
	    "answer of this chatbot", call->err);
}

int chatbots_delete_answer(struct call *call, const Chatbots__AnswerRequest *in, Rpc__Empty *out)
{
	(void)out;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ANSWERS, delete (call, in));
}

/* chat.Preview: a reply without a session, for signed-in users and for visitors of what is public. */
#include <string.h>

#include "chat.methods.h"
#include "svc-chat/turn/ask.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/visit.h"

static void take_text(void *arg, const char *bytes, size_t size)
{
	text_add(arg, bytes, size);
}

static void take_back(void *arg)
{
	struct text *text = arg;

	text->length = 0;
	text->at[0] = '\0';
}

static bool listed(const Chatbots__Chatbot *bot, const char *document)
{
	for (size_t i = 0; i < bot->n_documents; i++)
		if (strcmp(bot->documents[i], document) == 0)
			return true;
	return false;
}

/* Of one's own: any documents, any settings. */
static int prepare_for_user(struct call *call, const Chat__PreviewRequest *in, struct ask *r)
{
	Chatbots__FoundChatbot *found;

	r->documents = in->documents;
	r->document_count = in->n_documents;
	r->documents_named = true;
	if (in->chatbot_id) {
		if (retrieve_chatbot(call, in->chatbot_id, &found) < 0)
			return -1;
		ask_as(r, found, call->arena);
		if (in->n_documents) {
			r->documents = in->documents;
			r->document_count = in->n_documents;
			r->documents_named = true;
		}
	}
	settings_lay_over(in->settings, &r->settings, call->arena);
	return 0;
}

/* Of others: only what stands on a website anyway, as it stands there, and under its rules. */
static int prepare_for_visitor(struct call *call, const Chat__PreviewRequest *in, struct ask *r,
                               struct visit *visit)
{
	if (!in->chatbot_id && in->n_documents)
		return error_set(call->err, ERROR_UNAUTHENTICATED, "sign in to preview with documents");
	if (!in->chatbot_id) {
		r->builtin_only = true;
		settings_lay_over(in->settings, &r->settings, call->arena);
		return 0;
	}
	if (visit_any(call, in->chatbot_id, visit) < 0)
		return -1;
	if (!visit->settings.origin_count)
		return error_set(call->err, ERROR_NOT_FOUND, "no such chatbot");
	for (size_t i = 0; i < in->n_documents; i++)
		if (!listed(visit->bot, in->documents[i]))
			return error_set(call->err, ERROR_NOT_FOUND, "no such document");
	if (visit_count(call, visit, NULL) < 0)
		return -1;
	ask_as(r, visit->found, call->arena);
	if (in->n_documents) {
		r->documents = in->documents;
		r->document_count = in->n_documents;
	}
	r->call = &visit->call;
	return 0;
}

static const struct model_message *history_of(const Chat__PreviewRequest *in, struct arena *a)
{
	struct model_message *list = arena_new(a, struct model_message, in->n_chat_history);

	for (size_t i = 0; i < in->n_chat_history; i++)
		list[i] = (struct model_message){ in->chat_history[i]->role ? in->chat_history[i]->role : "",
			                          in->chat_history[i]->content ? in->chat_history[i]->content
			                                                       : "" };
	return list;
}

int chat_preview(struct call *call, const Chat__PreviewRequest *in, Chat__PreviewReply *out)
{
	struct visit visit;
	struct text text;
	struct ask r = {
		.call = call,
		.chat = chat_state(call),
		.question = in->message,
		.history = history_of(in, call->arena),
		.history_count = in->n_chat_history,
		.stop = call->cancelled,
		.for_visitor = call->caller->kind != RPC__CALLER__KIND__USER,
		.usage = CHAT__TOKEN_USAGE__INIT,
		.on_text = take_text,
		.on_take_back = take_back,
		.arg = &text,
	};

	text_init(&text, call->arena);
	settings_read(NULL, &r.settings, call->arena);
	if ((call->owner_id ? prepare_for_user(call, in, &r) : prepare_for_visitor(call, in, &r, &visit)) <
	        0 ||
	    ask_search(&r) < 0 || ask_model(&r) < 0)
		return -1;
	out->response = text.at;
	out->sources = ask_sources(&r, &out->n_sources);
	out->rag_status = (char *)ask_rag_status(&r);
	return 0;
}

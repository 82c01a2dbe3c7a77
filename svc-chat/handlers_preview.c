/* chat.Preview: a reply without a session, for signed-in users and for visitors of what is public. */
#include <string.h>

#include "chat.methods.h"
#include "svc-chat/turn/retrieve.h"
#include "svc-chat/unstored.h"
#include "svc-chat/visit.h"

static bool listed(const Chatbots__Chatbot *bot, const char *document)
{
	for (size_t i = 0; i < bot->n_documents; i++)
		if (strcmp(bot->documents[i], document) == 0)
			return true;
	return false;
}

/* Of others: only what stands on a website anyway, as it stands there, and under its rules. */
static int check_visitor(struct call *call, const Chat__PreviewRequest *in, struct visit *visit)
{
	if (!in->chatbot_id && in->n_documents)
		return error_set(call->err, ERROR_UNAUTHENTICATED, "sign in to preview with documents");
	if (!in->chatbot_id)
		return 0;
	if (visit_any(call, in->chatbot_id, visit) < 0)
		return -1;
	if (!visit->settings.origin_count)
		return error_set(call->err, ERROR_NOT_FOUND, "no such chatbot");
	for (size_t i = 0; i < in->n_documents; i++)
		if (!listed(visit->bot, in->documents[i]))
			return error_set(call->err, ERROR_NOT_FOUND, "no such document");
	return visit_count(call, visit, NULL);
}

/* Of one's own: any documents, any settings, of a chatbot of one's own or of none. */
static int check_user(struct call *call, const Chat__PreviewRequest *in, struct visit *visit)
{
	return in->chatbot_id ? retrieve_chatbot(call, in->chatbot_id, &visit->found) : 0;
}

static const struct model_message *history_of(const Chat__PreviewRequest *in, struct arena *a)
{
	struct model_message *list = arena_new(a, struct model_message, in->n_chat_history);

	for (size_t i = 0; i < in->n_chat_history; i++) {
		const Chat__PastMessage *said = in->chat_history[i];

		list[i] = (struct model_message){ said->role ? arena_strdup(a, said->role) : "",
			                          said->content ? arena_strdup(a, said->content) : "" };
	}
	return list;
}

static char **copies(char **texts, size_t n, struct arena *a)
{
	char **list = arena_new(a, char *, n);

	for (size_t i = 0; i < n; i++)
		list[i] = arena_strdup(a, texts[i]);
	return list;
}

/* What its writer needs, who outlives the call. */
static void fill(struct unstored *c, const Chat__PreviewRequest *in, const Chatbots__FoundChatbot *found,
                 bool visitor)
{
	struct ask *r = &c->ask;

	r->question = arena_strdup(c->arena, in->message);
	r->history = history_of(in, c->arena);
	r->history_count = in->n_chat_history;
	settings_read(NULL, &r->settings, c->arena);
	if (found)
		ask_as(r, retrieve_copy(found, c->arena), c->arena);
	if (in->n_documents) {
		r->documents = copies(in->documents, in->n_documents, c->arena);
		r->document_count = in->n_documents;
		r->documents_named = !visitor;
	}
	if (!visitor || !found)
		settings_lay_over(in->settings, &r->settings, c->arena);
	r->builtin_only = visitor && !found;
}

static ProtobufCMessage *whole(const struct unstored *c)
{
	Chat__PreviewReply *reply = arena_new(c->arena, Chat__PreviewReply, 1);

	chat__preview_reply__init(reply);
	reply->response = c->content.at;
	reply->sources = ask_sources(&c->ask, &reply->n_sources);
	reply->rag_status = (char *)ask_rag_status(&c->ask);
	return &reply->base;
}

int chat_preview(struct call *call, const Chat__PreviewRequest *in, Chat__PreviewReply *out)
{
	static const struct unstored_form preview = { .whole = whole };
	struct visit visit = { .call = *call };
	bool visitor = !call->owner_id;
	struct unstored *c;

	if ((visitor ? check_visitor(call, in, &visit) : check_user(call, in, &visit)) < 0 ||
	    unstored_new(&visit.call, &preview, &c) < 0)
		return -1;
	fill(c, in, visit.found, visitor);
	return unstored_whole(call, c, &out->base);
}

/* One function per method of chatbots.proto. Each checks, loads, decides, stores, fills `out`. */
#include <string.h>

#include "auth.client.h"
#include "chatbots.methods.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/utf8.h"
#include "common/service/call.h"
#include "svc-chatbots/changing.h"
#include "svc-chatbots/settings.h"
#include "svc-chatbots/state.h"
#include "svc-chatbots/store.h"

enum { OWNER_MS = 1000 }; /* for svc-auth to say whether the owner is disabled */

/* Fill out with the caller's chatbot. */
static int get(struct call *call, const char *id, Chatbots__Chatbot *out)
{
	return db_must_find(store_get(call->db, call->owner_id, id, out, call->arena, call->err), "chatbot",
	                    call->err);
}

int changing_lock(struct call *call, const char *id, const char **settings)
{
	return db_must_find(store_lock(call->db, call->owner_id, id, settings, call->arena, call->err),
	                    "chatbot", call->err);
}

int changing_end(struct call *call, const char *id, enum changing what, int result)
{
	if (result == 0 && what == CHANGING_ITSELF)
		result = store_keep_version(call->db, call->owner_id, id, call->err);
	if (result == 0 && store_tell(call->db, id, call->err) == 0)
		return db_commit(call->db, call->err);
	db_rollback(call->db);
	return -1;
}

static int create(struct call *call, const Chatbots__CreateChatbotRequest *in, const char *id,
                  Chatbots__Chatbot *out)
{
	const char *settings;

	if (settings_apply(NULL, in->settings, &settings, call->arena, call->err) < 0)
		return -1;
	if (store_create(call->db, call->owner_id, id, in, settings, chatbots_state(call)->per_user,
	                 call->err) < 0)
		return -1;
	if (in->n_documents && store_assign(call->db, call->owner_id, id, in->documents, in->n_documents,
	                                    call->arena, call->err) < 0)
		return -1;
	return get(call, id, out);
}

int chatbots_create_chatbot(struct call *call, const Chatbots__CreateChatbotRequest *in,
                            Chatbots__Chatbot *out)
{
	char id[UUID_TEXT];

	uuid_make(id);
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, id, CHANGING_ITSELF, create(call, in, id, out));
}

/* --- Moving ------------------------------------------------------------------------------------------------------------- */

#define COPY " (copy)"

static char *name_of_copy(const char *name, struct arena *a)
{
	enum { MOST = 200 }; /* characters, as the contract has it */

	return utf8_length(name, strlen(name)) + strlen(COPY) > MOST ? arena_strdup(a, name)
	                                                             : arena_printf(a, "%s" COPY, name);
}

/* A chatbot with these answers. */
static int make(struct call *call, const Chatbots__CreateChatbotRequest *request,
                Chatbots__WrittenAnswer **answers, size_t count, const char *id, Chatbots__Chatbot *out)
{
	if (create(call, request, id, out) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		char answer_id[UUID_TEXT];

		uuid_make(answer_id);
		if (store_add_answer(call->db, call->owner_id, id, answer_id, answers[i]->questions,
		                     answers[i]->n_questions, answers[i]->answer,
		                     !answers[i]->has_enabled || answers[i]->enabled, call->arena,
		                     call->err) < 0)
			return -1;
	}
	return 0;
}

static int make_with(struct call *call, const Chatbots__CreateChatbotRequest *request,
                     Chatbots__WrittenAnswer **answers, size_t count, Chatbots__Chatbot *out)
{
	char id[UUID_TEXT];

	uuid_make(id);
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, id, CHANGING_ITSELF, make(call, request, answers, count, id, out));
}

/* All of a chatbot's answers, as they were written. */
static int read_answers(struct call *call, const char *chatbot, size_t *n, Chatbots__WrittenAnswer ***ret)
{
	*ret = arena_new(call->arena, Chatbots__WrittenAnswer *, STORE_ANSWERS_MAX);
	*n = 0;
	for (const char *cursor = "";;) {
		Chatbots__AnswerList page = CHATBOTS__ANSWER_LIST__INIT;

		if (store_list_answers(call->db, call->owner_id, chatbot, *cursor ? cursor : NULL, 0, &page,
		                       call->arena, call->err) < 0)
			return -1;
		for (size_t i = 0; i < page.n_answers && *n < STORE_ANSWERS_MAX; i++) {
			Chatbots__WrittenAnswer *answer = arena_new(call->arena, Chatbots__WrittenAnswer, 1);

			chatbots__written_answer__init(answer);
			answer->questions = page.answers[i]->questions;
			answer->n_questions = page.answers[i]->n_questions;
			answer->answer = page.answers[i]->answer;
			answer->has_enabled = true;
			answer->enabled = page.answers[i]->enabled;
			(*ret)[(*n)++] = answer;
		}
		cursor = page.next;
		if (!cursor)
			return 0;
	}
}

int chatbots_copy_chatbot(struct call *call, const Chatbots__ChatbotRequest *in, Chatbots__Chatbot *out)
{
	Chatbots__CreateChatbotRequest request = CHATBOTS__CREATE_CHATBOT_REQUEST__INIT;
	Chatbots__Chatbot original = CHATBOTS__CHATBOT__INIT;
	Chatbots__WrittenAnswer **answers;
	size_t count;

	if (get(call, in->chatbot_id, &original) < 0 ||
	    read_answers(call, in->chatbot_id, &count, &answers) < 0)
		return -1;
	request.name = name_of_copy(original.name, call->arena);
	request.description = original.description;
	request.settings = original.settings;
	request.documents = original.documents;
	request.n_documents = original.n_documents;
	return make_with(call, &request, answers, count, out);
}

int chatbots_export_chatbot(struct call *call, const Chatbots__ChatbotRequest *in,
                            Chatbots__ChatbotExport *out)
{
	Chatbots__Chatbot bot = CHATBOTS__CHATBOT__INIT;

	if (get(call, in->chatbot_id, &bot) < 0)
		return -1;
	out->format = (char *)"parley.chatbot/1";
	out->name = bot.name;
	out->description = bot.description;
	out->settings = bot.settings;
	return read_answers(call, in->chatbot_id, &out->n_answers, &out->answers);
}

int chatbots_import_chatbot(struct call *call, const Chatbots__ChatbotExport *in, Chatbots__Chatbot *out)
{
	Chatbots__CreateChatbotRequest request = CHATBOTS__CREATE_CHATBOT_REQUEST__INIT;

	request.name = in->name;
	request.description = in->description;
	request.settings = in->settings;
	return make_with(call, &request, in->answers, in->n_answers, out);
}

/* --- Reading, changing ----------------------------------------------------------------------------------------------- */

int chatbots_list_chatbots(struct call *call, const Chatbots__ListChatbotsRequest *in,
                           Chatbots__ChatbotList *out)
{
	return store_list(call->db, call->owner_id, in->cursor, in->limit, out, call->arena, call->err);
}

int chatbots_get_chatbot(struct call *call, const Chatbots__ChatbotRequest *in, Chatbots__Chatbot *out)
{
	return get(call, in->chatbot_id, out);
}

static bool resets(const Chatbots__UpdateChatbotRequest *in, const char *name)
{
	for (size_t i = 0; i < in->n_reset; i++)
		if (strcmp(in->reset[i], name) == 0)
			return true;
	return false;
}

static int update(struct call *call, const Chatbots__UpdateChatbotRequest *in, Chatbots__Chatbot *out)
{
	const char *settings = NULL;

	if (changing_lock(call, in->chatbot_id, &settings) < 0)
		return -1;
	if (settings_apply(resets(in, "settings") ? NULL : settings, in->settings, &settings, call->arena,
	                   call->err) < 0)
		return -1;
	if (store_update(call->db, call->owner_id, in->chatbot_id, in->name, in->description,
	                 resets(in, "description"), settings, call->err) < 0)
		return -1;
	if ((in->n_documents || resets(in, "documents")) &&
	    store_unassign_all(call->db, call->owner_id, in->chatbot_id, call->err) < 0)
		return -1;
	if (in->n_documents && store_assign(call->db, call->owner_id, in->chatbot_id, in->documents,
	                                    in->n_documents, call->arena, call->err) < 0)
		return -1;
	return get(call, in->chatbot_id, out);
}

int chatbots_update_chatbot(struct call *call, const Chatbots__UpdateChatbotRequest *in,
                            Chatbots__Chatbot *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ITSELF, update(call, in, out));
}

int chatbots_delete_chatbot(struct call *call, const Chatbots__ChatbotRequest *in, Rpc__Empty *out)
{
	(void)out;
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ANSWERS,
	                    db_must_find(store_delete(call->db, call->owner_id, in->chatbot_id, call->err),
	                                 "chatbot", call->err));
}

static int assign(struct call *call, const Chatbots__AssignDocumentsRequest *in, Chatbots__Chatbot *out)
{
	const char *settings = NULL;

	if (changing_lock(call, in->chatbot_id, &settings) < 0)
		return -1;
	if (store_assign(call->db, call->owner_id, in->chatbot_id, in->document_ids, in->n_document_ids,
	                 call->arena, call->err) < 0)
		return -1;
	if (store_update(call->db, call->owner_id, in->chatbot_id, NULL, NULL, false, NULL, call->err) < 0)
		return -1;
	return get(call, in->chatbot_id, out);
}

int chatbots_assign_documents(struct call *call, const Chatbots__AssignDocumentsRequest *in,
                              Chatbots__Chatbot *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ITSELF, assign(call, in, out));
}

static int unassign(struct call *call, const Chatbots__UnassignDocumentRequest *in, Chatbots__Chatbot *out)
{
	const char *settings = NULL;

	if (changing_lock(call, in->chatbot_id, &settings) < 0 ||
	    store_unassign(call->db, call->owner_id, in->chatbot_id, in->document_id, call->err) < 0)
		return -1;
	return get(call, in->chatbot_id, out);
}

int chatbots_unassign_document(struct call *call, const Chatbots__UnassignDocumentRequest *in,
                               Chatbots__Chatbot *out)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return changing_end(call, in->chatbot_id, CHANGING_ITSELF, unassign(call, in, out));
}

/* Of a user, his own; of a visitor, anybody's. */
static int find(struct call *call, const char *id, Chatbots__Chatbot *out)
{
	int found = call->owner_id ? store_get(call->db, call->owner_id, id, out, call->arena, call->err)
	                           : store_find(call->db, id, out, call->arena, call->err);

	return db_must_find(found, "chatbot", call->err);
}

int chatbots_find_chatbot(struct call *call, const Chatbots__ChatbotRequest *in, Chatbots__FoundChatbot *out)
{
	out->chatbot = arena_new(call->arena, Chatbots__Chatbot, 1);
	chatbots__chatbot__init(out->chatbot);
	if (find(call, in->chatbot_id, out->chatbot) < 0)
		return -1;
	return store_enabled_answers(call->db, out->chatbot->owner_id, in->chatbot_id, &out->n_answers,
	                             &out->answers, call->arena, call->err);
}

int chatbots_list_retentions(struct call *call, const Chatbots__ListRetentionsRequest *in,
                             Chatbots__RetentionList *out)
{
	return store_retentions(call->db, in->cursor, out, call->arena, call->err);
}

/* Whoever owns it may be disabled; an svc-auth that does not say keeps no visitor out. */
static int check_owner(struct call *call, const char *owner)
{
	Rpc__Empty nothing = RPC__EMPTY__INIT, *answer;
	struct error err = { 0 };
	struct call ask = *call;
	int64_t deadline = clock_unix_ms() + OWNER_MS;

	ask.owner_id = owner;
	ask.err = &err;
	if (deadline < ask.deadline)
		ask.deadline = deadline;
	if (auth_client_check_owner(service_peer(call->service, "auth"), &ask, &nothing, &answer) == 0 ||
	    err.code != ERROR_FORBIDDEN)
		return 0;
	return error_set(call->err, err.code, "%s", err.message);
}

int chatbots_get_widget_config(struct call *call, const Chatbots__ChatbotRequest *in,
                               Chatbots__WidgetConfig *out)
{
	Chatbots__Chatbot bot = CHATBOTS__CHATBOT__INIT;

	if (db_must_find(store_find(call->db, in->chatbot_id, &bot, call->arena, call->err), "chatbot",
	                 call->err) < 0 ||
	    check_owner(call, bot.owner_id) < 0)
		return -1;
	out->chatbot_id = bot.id;
	out->name = bot.name;
	out->description = bot.description;
	return settings_for_widget(bot.settings, &out->settings, call->arena, call->err);
}

int chatbots_list_uses(struct call *call, const Chatbots__ListUsesRequest *in, Chatbots__UseList *out)
{
	return store_uses(call->db, call->owner_id, in->document_ids, in->n_document_ids, out, call->arena,
	                  call->err);
}

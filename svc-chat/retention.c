#include "svc-chat/retention.h"

#include "chat.methods.h"
#include "chatbots.client.h"
#include "common/base/log.h"
#include "svc-chat/state.h"
#include "svc-chat/store.h"

enum { FIRST_SECONDS = 60, AGAIN_SECONDS = 60 * 60, AT_ONCE = 500 /* conversations in one statement */ };

/* What has lain there for too long, a part at a time, so that nobody waits for locks. */
static int forget(struct call *call, const Chatbots__Retention *of, int64_t *gone)
{
	int64_t rows;

	do {
		if (store_forget(call->db, of->owner_id, of->chatbot_id, of->days, AT_ONCE, &rows,
		                 call->err) < 0)
			return -1;
		*gone += rows;
	} while (rows == AT_ONCE && !atomic_load(call->cancelled));
	return 0;
}

static int forget_all(struct call *call, int64_t *gone)
{
	Chatbots__ListRetentionsRequest request = CHATBOTS__LIST_RETENTIONS_REQUEST__INIT;
	const struct chat *chat = chat_state(call);
	Chatbots__RetentionList *page;

	do {
		if (chatbots_client_list_retentions(chat->chatbots, call, &request, &page) < 0)
			return -1;
		for (size_t i = 0; i < page->n_chatbots; i++)
			if (forget(call, page->chatbots[i], gone) < 0)
				return -1;
		request.cursor = page->next;
	} while (request.cursor);
	return 0;
}

static int run(struct call *call, const struct job *job)
{
	int64_t gone = 0;

	(void)job;
	if (forget_all(call, &gone) < 0)
		return -1;
	if (gone)
		log_line(LOG_INFO, "conversations were forgotten", LOG_INT("conversations", gone));
	return job_add(call->db, retention_job.kind, NULL, retention_job.kind, "{}", AGAIN_SECONDS,
	               call->err);
}

const struct job_kind retention_job = {
	.kind = "retention",
	.run = run,
	.attempts = 20,
	.first_pause_ms = 60 * 1000,
	.lease_ms = 60 * 1000,
};

int retention_stand(struct service *s, struct error *err)
{
	struct db db;
	int rc;

	db_init(&db, service_db(s));
	rc = job_add(&db, retention_job.kind, NULL, retention_job.kind, "{}", FIRST_SECONDS, err);
	db_done(&db);
	return rc;
}

#include "common/job/event.h"

#include "integrations.client.h"

const struct db_stmt event_statements[] = {
	{ "event_listen", "INSERT INTO listening (owner_id, events, handover) VALUES ($1, $2, $3)"
	                  " ON CONFLICT (owner_id) DO UPDATE SET events = excluded.events,"
	                  " handover = excluded.handover" },
	{ "event_deaf", "DELETE FROM listening WHERE owner_id = $1" },
	{ "event_add", "INSERT INTO job (owner_id, kind, payload) SELECT $1::uuid, 'event', $3::jsonb"
	               " || jsonb_build_object('event', $2::text) FROM listening"
	               " WHERE owner_id = $1 AND $2 = ANY (events)" },
	{ "event_wake", "SELECT pg_notify('parley_job', 'event')" },
	{ NULL, NULL },
};

int event_listen(struct call *call, const Rpc__Listening *in)
{
	const char *events = db_text_array(in->events, in->n_events, call->arena);
	const char *handover = db_text_array(in->handover, in->n_handover, call->arena);

	if (!in->n_events && !in->n_handover)
		return db_exec(call->db, "event_deaf", DB_ARGS(call->owner_id), NULL, call->err);
	return db_exec(call->db, "event_listen", DB_ARGS(call->owner_id, events, handover), NULL, call->err);
}

int event_wake(struct db *db, struct error *err)
{
	return db_exec(db, "event_wake", DB_ARGS(), NULL, err);
}

int event_add(struct db *db, const char *owner_id, const char *event, const char *payload, struct error *err)
{
	int added = db_changed(db, "event_add", DB_ARGS(owner_id, event, payload), err);

	return added <= 0 ? added : event_wake(db, err);
}

int event_tell(struct call *call, const struct job *job, const struct event_words *words)
{
	Integrations__Event in = INTEGRATIONS__EVENT__INIT;
	Rpc__Empty *out;

	in.id = (char *)job->id;
	in.name = (char *)words->name;
	in.chatbot_id = (char *)words->chatbot_id;
	in.data = (char *)words->data;
	return integrations_client_take_event(service_peer(call->service, "integrations"), call, &in, &out);
}

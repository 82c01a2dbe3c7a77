#include "svc-integrations/store_webhook.h"

#include <string.h>

enum { DELIVERIES_PAGE = 20 /* in one reply: with the longest bodies they still fit a message */ };

#define DELIVERY                                                                                       \
	"SELECT id, integration_id, event, status, attempts, response_status, error, next_attempt_at," \
	" created_at, delivered_at, body AS payload FROM delivery WHERE owner_id = $1 AND integration_id = $2"

const struct db_stmt store_webhook_statements[] = {
	{ "webhooks",
	  "SELECT owner_id, id, type, status, status_detail, name, chatbot_id, config, secrets,"
	  " team_id, app_id, bot_user_id, bot_id FROM integration"
	  " WHERE owner_id = $1 AND type = 'webhook' AND status = 'active' ORDER BY id LIMIT 1000" },
	{ "handing_over",
	  "SELECT owner_id, id, type, status, status_detail, name, chatbot_id, config, secrets,"
	  " team_id, app_id, bot_user_id, bot_id FROM integration"
	  " WHERE owner_id = $1 AND type <> 'webhook' AND status <> 'inactive'"
	  " AND config->>'handover' IS NOT NULL ORDER BY id LIMIT 1000" },
	{ "address_wish",
	  "SELECT CASE WHEN refused_at IS NOT NULL THEN 'refuses' WHEN confirmed_at IS NOT NULL THEN 'agrees' END"
	  " AS wish FROM handover_address WHERE owner_id = $1 AND address = $2" },
	{ "ask_address",
	  "INSERT INTO handover_address (owner_id, address) VALUES ($1, $2)"
	  " ON CONFLICT (owner_id, address) DO UPDATE SET asked_at = excluded.asked_at"
	  " WHERE handover_address.confirmed_at IS NULL AND handover_address.refused_at IS NULL"
	  " AND excluded.asked_at - handover_address.asked_at > $3 * interval '1 day'" },
	{ "confirm_address",
	  "UPDATE handover_address SET confirmed_at = now(), refused_at = NULL WHERE owner_id = $1 AND address = $2" },
	/* One's own address was never asked. */
	{ "refuse_address",
	  "INSERT INTO handover_address (owner_id, address, refused_at) VALUES ($1, $2, now())"
	  " ON CONFLICT (owner_id, address) DO UPDATE"
	  " SET confirmed_at = NULL, refused_at = excluded.refused_at" },
	{ "forget_address", "DELETE FROM handover_address WHERE owner_id = $1 AND address = $2"
	                    " AND confirmed_at IS NULL AND refused_at IS NULL" },
	{ "end_detail",
	  "UPDATE integration SET status_detail = NULL WHERE owner_id = $1 AND status_detail IN ($2, $3)" },
	/* Not where something is wrong: that would never be said again. */
	{ "tell_handing_to", "UPDATE integration SET status_detail = $3 WHERE owner_id = $1"
	                     " AND type <> 'webhook' AND lower(config->'handover'->>'email') = $2"
	                     " AND status <> 'error'" },
	/* Conversations that wait for somebody's consent are looked at now. */
	{ "hurry_handovers", "UPDATE job SET run_at = now() WHERE owner_id = $1 AND kind = 'handover'"
	                     " AND payload->>'where' = 'email' AND run_at > now()"
	                     " AND lease_until IS NULL AND failed IS NULL" },
	/* To one that is gone there is none: a plan of handing over may still name it. */
	{ "add_delivery", "INSERT INTO delivery (owner_id, integration_id, id, event, body)"
	                  " SELECT $1::uuid, id, $3::uuid, $4::text, $5::text FROM integration"
	                  " WHERE owner_id = $1 AND id = $2 AND type = 'webhook' ON CONFLICT DO NOTHING" },
	{ "list_deliveries",
	  DELIVERY " AND ($3::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM delivery"
	           " WHERE owner_id = $1 AND integration_id = $2 AND id = $3))"
	           " ORDER BY created_at DESC, id DESC LIMIT $4" },
	{ "get_delivery", DELIVERY " AND id = $3" },
	{ "repeat_delivery", "UPDATE delivery SET status = 'waiting', attempts = 0, error = NULL,"
	                     " response_status = NULL, next_attempt_at = NULL"
	                     " WHERE owner_id = $1 AND integration_id = $2 AND id = $3" },
	{ "taken", "UPDATE delivery SET status = 'delivered', attempts = attempts + 1, response_status = $4,"
	           " error = NULL, next_attempt_at = NULL, delivered_at = now()"
	           " WHERE owner_id = $1 AND integration_id = $2 AND id = $3" },
	{ "missed", "UPDATE delivery SET attempts = attempts + 1, response_status = nullif($4::int, 0),"
	            " error = $5, next_attempt_at = now() + $6 * interval '1 second'"
	            " WHERE owner_id = $1 AND integration_id = $2 AND id = $3" },
	{ "given_up", "UPDATE delivery SET status = 'given_up', attempts = attempts + 1,"
	              " response_status = nullif($4::int, 0), error = $5, next_attempt_at = NULL"
	              " WHERE owner_id = $1 AND integration_id = $2 AND id = $3" },
	{ "delivered_since", "SELECT 1 FROM delivery WHERE owner_id = $1 AND integration_id = $2"
	                     " AND delivered_at > (SELECT created_at FROM delivery WHERE owner_id = $1"
	                     " AND integration_id = $2 AND id = $3) LIMIT 1" },
	{ "sweep_deliveries", "DELETE FROM delivery WHERE created_at < now() - interval '30 days'" },
	{ NULL, NULL },
};

static int load_rows(struct db *db, const char *statement, const char *owner, struct integration_row **ret,
                     size_t *count, struct arena *a, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, statement, DB_ARGS(owner), &res, err) < 0)
		return -1;
	*count = (size_t)PQntuples(res);
	*ret = arena_new(a, struct integration_row, *count);
	for (size_t i = 0; i < *count; i++)
		store_read_row(res, (int)i, &(*ret)[i], a);
	return 0;
}

int store_webhooks(struct db *db, const char *owner, struct integration_row **ret, size_t *count,
                   struct arena *a, struct error *err)
{
	return load_rows(db, "webhooks", owner, ret, count, a, err);
}

int store_handing_over(struct db *db, const char *owner, struct integration_row **ret, size_t *count,
                       struct arena *a, struct error *err)
{
	return load_rows(db, "handing_over", owner, ret, count, a, err);
}

int store_address_wish(struct db *db, const char *owner, const char *address, enum address_wish *ret,
                       struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, "address_wish", DB_ARGS(owner, address), &res, err);
	const char *wish = found > 0 ? db_text(res, 0, "wish") : NULL;

	*ret = !wish ? ADDRESS_SAYS_NOTHING : strcmp(wish, "agrees") == 0 ? ADDRESS_AGREES : ADDRESS_REFUSES;
	return found < 0 ? -1 : 0;
}

int store_ask_address(struct db *db, const char *owner, const char *address, int days, struct error *err)
{
	return db_changed(db, "ask_address", DB_ARGS(owner, address, days), err);
}

int store_confirm_address(struct db *db, const char *owner, const char *address, struct error *err)
{
	return db_changed(db, "confirm_address", DB_ARGS(owner, address), err);
}

int store_refuse_address(struct db *db, const char *owner, const char *address, struct error *err)
{
	return db_changed(db, "refuse_address", DB_ARGS(owner, address), err);
}

int store_forget_address(struct db *db, const char *owner, const char *address, struct error *err)
{
	return db_exec(db, "forget_address", DB_ARGS(owner, address), NULL, err);
}

int store_end_detail(struct db *db, const char *owner, const char *detail, const char *other,
                     struct error *err)
{
	return db_exec(db, "end_detail", DB_ARGS(owner, detail, other), NULL, err);
}

int store_tell_handing_to(struct db *db, const char *owner, const char *address, const char *detail,
                          struct error *err)
{
	return db_exec(db, "tell_handing_to", DB_ARGS(owner, address, detail), NULL, err);
}

int store_hurry_handovers(struct db *db, const char *owner, struct error *err)
{
	return db_exec(db, "hurry_handovers", DB_ARGS(owner), NULL, err);
}

int store_add_delivery(struct db *db, const char *owner, const char *integration, const char *id,
                       const char *event, const char *body, struct error *err)
{
	return db_changed(db, "add_delivery", DB_ARGS(owner, integration, id, event, body), err);
}

int store_list_deliveries(struct db *db, const char *owner, const char *integration, const char *cursor,
                          int limit, Integrations__DeliveryList *out, struct arena *a, struct error *err)
{
	return db_page(db, "list_deliveries", DB_ARGS(owner, integration, cursor), limit, DELIVERIES_PAGE,
	               &out->base, a, err);
}

int store_get_delivery(struct db *db, const char *owner, const char *integration, const char *id,
                       Integrations__Delivery *out, struct arena *a, struct error *err)
{
	return db_one(db, "get_delivery", DB_ARGS(owner, integration, id), &out->base, a, err);
}

int store_repeat_delivery(struct db *db, const char *owner, const char *integration, const char *id,
                          struct error *err)
{
	return db_changed(db, "repeat_delivery", DB_ARGS(owner, integration, id), err);
}

int store_end_attempt(struct db *db, const struct delivery_end *e, struct error *err)
{
	if (!e->error)
		return db_exec(db, "taken", DB_ARGS(e->owner, e->integration, e->id, e->status), NULL, err);
	if (e->pause < 0)
		return db_exec(db, "given_up", DB_ARGS(e->owner, e->integration, e->id, e->status, e->error),
		               NULL, err);
	return db_exec(db, "missed", DB_ARGS(e->owner, e->integration, e->id, e->status, e->error, e->pause),
	               NULL, err);
}

int store_delivered_since(struct db *db, const char *owner, const char *integration, const char *id,
                          struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	return db_find(db, "delivered_since", DB_ARGS(owner, integration, id), &res, err);
}

int store_sweep_deliveries(struct db *db, struct error *err)
{
	return db_exec(db, "sweep_deliveries", DB_ARGS(), NULL, err);
}

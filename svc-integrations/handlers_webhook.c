/* What webhooks were sent: listed, and repeated. */
#include <string.h>

#include "integrations.methods.h"
#include "svc-integrations/store_webhook.h"
#include "svc-integrations/webhook/deliver.h"

static int load(struct call *call, const char *id, struct integration_row *row)
{
	return db_must_find(store_load(call->db, call->owner_id, id, row, call->arena, call->err),
	                    "integration", call->err);
}

int integrations_list_deliveries(struct call *call, const Integrations__ListDeliveriesRequest *in,
                                 Integrations__DeliveryList *out)
{
	struct integration_row row;

	if (load(call, in->integration_id, &row) < 0)
		return -1;
	return store_list_deliveries(call->db, call->owner_id, in->integration_id, in->cursor, in->limit, out,
	                             call->arena, call->err);
}

static int begin_again(struct call *call, const Integrations__DeliveryRequest *in)
{
	int found;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	found =
	    store_repeat_delivery(call->db, call->owner_id, in->integration_id, in->delivery_id, call->err);
	if (db_must_find(found, "delivery", call->err) == 0 &&
	    deliver_later(call, in->integration_id, in->delivery_id, 0) == 0 &&
	    db_commit(call->db, call->err) == 0)
		return 0;
	db_rollback(call->db);
	return -1;
}

int integrations_repeat_delivery(struct call *call, const Integrations__DeliveryRequest *in,
                                 Integrations__Delivery *out)
{
	struct integration_row row;
	int found;

	if (load(call, in->integration_id, &row) < 0)
		return -1;
	found = store_get_delivery(call->db, call->owner_id, in->integration_id, in->delivery_id, out,
	                           call->arena, call->err);
	if (db_must_find(found, "delivery", call->err) < 0)
		return -1;
	if (strcmp(row.status, "active") != 0)
		return error_set(call->err, ERROR_CONFLICT,
		                 "this webhook is switched off: switch it on first");
	if (begin_again(call, in) < 0)
		return -1;
	integrations__delivery__init(out);
	return store_get_delivery(call->db, call->owner_id, in->integration_id, in->delivery_id, out,
	                          call->arena, call->err) < 0
	           ? -1
	           : 0;
}

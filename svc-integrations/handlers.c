/* One function per method of integrations.proto. */
#include "common/service/call.h"
#include "integrations.methods.h"
#include "svc-integrations/store.h"

int integrations_list_integrations(struct call *call, const Integrations__ListIntegrationsRequest *in,
                                   Integrations__IntegrationList *out)
{
	return store_list(call->db, call->owner_id, in->cursor, in->limit, out, call->arena, call->err);
}

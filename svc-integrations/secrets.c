#include "svc-integrations/secrets.h"

#include "common/base/log.h"
#include "common/service/sealer.h"
#include "integrations.methods.h"
#include "svc-integrations/integrations.h"

static const char *context_of(const struct integration_row *row, struct arena *a)
{
	return arena_printf(a, "%s/%s/%s", row->type, row->owner_id, row->id);
}

int secrets_open(struct call *call, const struct integration_row *row, struct secrets *ret)
{
	char *plain;

	*ret = (struct secrets){ 0 };
	if (!row->secrets)
		return 0;
	if (sealer_open(call, context_of(row, call->arena), row->secrets, &plain) < 0)
		return -1;
	config_unpack_secrets(plain, ret, call->arena);
	if (ret->installed)
		ret->signing_secret = integrations_state(call)->slack.signing_secret;
	return 0;
}

int secrets_try(struct call *call, const struct integration_row *row, struct secrets *ret)
{
	if (secrets_open(call, row, ret) == 0)
		return 0;
	if (call->err->code != ERROR_INTERNAL)
		return -1;
	log_line(LOG_WARN, "no key opens the secrets of an integration", LOG_TEXT("integration", row->id),
	         LOG_TEXT("detail", call->err->detail));
	error_clear(call->err);
	return 0;
}

int secrets_put(struct call *call, const struct secrets *secrets, struct integration_row *row)
{
	struct secrets own = *secrets;
	char *sealed = NULL;

	if (own.installed)
		own.signing_secret = NULL; /* the operator's, and not this one's to keep or to show */
	if ((own.bot_token || own.signing_secret) &&
	    sealer_seal(call, context_of(row, call->arena), config_pack_secrets(&own, call->arena), &sealed) <
	        0)
		return -1;
	row->secrets = sealed;
	row->config = config_show_secrets(row->type, row->config, &own, call->arena);
	return 0;
}

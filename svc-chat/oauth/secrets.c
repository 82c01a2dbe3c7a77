#include "svc-chat/oauth/secrets.h"

#include <stddef.h>
#include <string.h>

#include "common/json/json.h"
#include "common/service/sealer.h"

static const struct {
	const char *name;
	size_t offset;
} members[] = {
	{ "verifier", offsetof(struct oauth_secrets, verifier) },
	{ "access", offsetof(struct oauth_secrets, access) },
	{ "refresh", offsetof(struct oauth_secrets, refresh) },
	{ "client_secret", offsetof(struct oauth_secrets, client_secret) },
};
enum { MEMBERS = sizeof members / sizeof *members };

static const char **member(const struct oauth_secrets *secrets, size_t i)
{
	return (const char **)((char *)secrets + members[i].offset);
}

static const char *context(struct call *call, const char *kind, const char *owner, int64_t server_id,
                           const char *issuer)
{
	return arena_printf(call->arena, "oauth.%s/%s/%lld/%s", kind, owner, (long long)server_id, issuer);
}

int secrets_seal(struct call *call, const char *kind, const char *owner, int64_t server_id,
                 const char *issuer, const struct oauth_secrets *secrets, char **ret)
{
	OWN(json) json_object *all = json_object_new_object();

	for (size_t i = 0; i < MEMBERS; i++)
		if (*member(secrets, i))
			json_object_object_add(all, members[i].name,
			                       json_object_new_string(*member(secrets, i)));
	return sealer_seal(call, context(call, kind, owner, server_id, issuer), json_print(all, call->arena),
	                   ret);
}

int secrets_open(struct call *call, const char *kind, const char *owner, int64_t server_id,
                 const char *issuer, const char *sealed, struct oauth_secrets *ret)
{
	OWN(json) json_object *all = NULL;
	char *plain;

	if (sealer_open(call, context(call, kind, owner, server_id, issuer), sealed, &plain) < 0 ||
	    json_parse(plain, strlen(plain), &all, call->err) < 0)
		return -1;
	for (size_t i = 0; i < MEMBERS; i++)
		*member(ret, i) = arena_strdup(call->arena, json_string(all, members[i].name));
	return 0;
}

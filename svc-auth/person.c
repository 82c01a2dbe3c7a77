#include "svc-auth/person.h"

#include <string.h>

#include "auth.methods.h"
#include "common/base/id.h"
#include "common/base/utf8.h"
#include "common/json/format.h"
#include "svc-auth/store_providers.h"

enum { NAME_CHARACTERS = 100, NAME_BYTES = 400 };

/* --- What is said ------------------------------------------------------------------------------------------------ */

static const char *text_of(json_object *claims, json_object *more, const char *name)
{
	const char *said = json_string(claims, name);

	return said ? said : json_string(more, name);
}

/* Some write the truth as text. An address and its proof come from the same place. */
static bool is_verified(json_object *from)
{
	const char *word = json_string(from, "email_verified");

	return json_flag(from, "email_verified", 0) == 1 || (word && strcmp(word, "true") == 0);
}

static void read_address(struct call *call, json_object *from, struct person *ret)
{
	const char *email = json_string(from, "email");

	ret->unfit = "Your provider does not say what your e-mail address is.";
	if (!email)
		return;
	ret->unfit = "Your provider gives an e-mail address that is none.";
	if (!format_email(email, strlen(email)))
		return;
	ret->unfit = "Your provider has not verified your e-mail address.";
	if (is_verified(from))
		ret->email = account_email(call, email);
}

static const char *read_name(struct call *call, const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (!length || length > NAME_BYTES || utf8_length(name, length) > NAME_CHARACTERS ||
	    format_blank(name, length))
		return NULL;
	return arena_strdup(call->arena, name);
}

void person_read(struct call *call, const struct provider *who, json_object *claims, json_object *more,
                 struct person *ret)
{
	const char *wanted = who->set->admin_claim;

	*ret = (struct person){ .issuer = who->set->issuer,
		                .subject = arena_strdup(call->arena, json_string(claims, "sub")),
		                .session = arena_strdup(call->arena, json_string(claims, "sid")) };
	read_address(call, json_string(claims, "email") || !more ? claims : more, ret);
	ret->name = read_name(call, text_of(claims, more, "name"));
	ret->admin = *wanted &&
	             (providers_claim_holds(claims, wanted) || (more && providers_claim_holds(more, wanted)));
}

/* --- Who that is ------------------------------------------------------------------------------------------------- */

static int make_account(struct call *call, const struct person *p, struct account *ret)
{
	char *uid = arena_alloc(call->arena, UUID_TEXT);
	const char *name = p->name ? p->name : arena_strndup(call->arena, p->email, strcspn(p->email, "@"));
	int64_t id;
	int made;

	uuid_make(uid);
	made = store_add_account(call->db, uid, p->email, name, NULL, &id, call->err);
	if (made <= 0)
		return made;
	if (audit(call, "registered", uid, "with a provider") < 0)
		return -1;
	return store_lock_account(call->db, uid, ret, call->arena, call->err);
}

/* The account of the address; a new one where there is none. */
static int account_of_address(struct call *call, const struct person *p, struct account *ret)
{
	int found = store_find_account(call->db, p->email, ret, call->arena, call->err);

	if (found == 0)
		found = make_account(call, p, ret);
	if (found == 0) /* somebody else made it meanwhile */
		found = store_find_account(call->db, p->email, ret, call->arena, call->err);
	return found <= 0 ? found : store_lock_account(call->db, ret->uid, ret, call->arena, call->err);
}

static int newcomer(struct call *call, const struct provider *who, const struct person *p,
                    struct account *ret, const char **why)
{
	bool removed;
	int found;

	*why = p->unfit;
	if (!p->email)
		return 0;
	found = account_of_address(call, p, ret);
	*why = "The account changed meanwhile. Please try again.";
	if (found <= 0)
		return found;
	*why =
	    "There is an account with this address already, and it belongs to somebody else at this provider. If it is "
	    "yours, sign in there as before.";
	found = store_add_identity(call->db, ret->uid, p->issuer, p->subject, call->err);
	if (found == 0) /* unless it is they themselves, who came twice at once */
		return store_find_identity(call->db, p->issuer, p->subject, ret, call->arena, call->err);
	if (found < 0)
		return -1;
	if (account_prove(call, ret, false, &removed) < 0 ||
	    audit(call, "identity_added", ret->uid, who->set->name) < 0)
		return -1;
	return 1;
}

/* Whoever was an administrator by the last word of the provider, and is not by this one, has to sign in anew elsewhere. */
static int settle_admin(struct call *call, const struct provider *who, const struct person *p,
                        struct account *ret)
{
	int changed;

	if (!*who->set->admin_claim)
		return 0;
	changed =
	    store_set_admin_by_claim(call->db, ret->uid, p->admin, auth_state(call)->admin_email, call->err);
	if (changed <= 0)
		return changed;
	if (store_end_sessions(call->db, ret->uid, NULL, call->err) < 0 ||
	    store_revoke_keys(call->db, ret->uid, call->err) < 0 ||
	    store_get_account(call->db, ret->uid, ret, call->arena, call->err) <= 0)
		return -1;
	return audit(call, "admin_changed", ret->uid,
	             ret->admin ? "is an administrator now" : "is none any more");
}

int person_account(struct call *call, const struct provider *who, const struct person *p, struct account *ret,
                   const char **why)
{
	int found = store_find_identity(call->db, p->issuer, p->subject, ret, call->arena, call->err);

	if (found == 0)
		found = newcomer(call, who, p, ret, why);
	if (found <= 0)
		return found;
	*why = "This account is disabled.";
	if (ret->disabled)
		return 0;
	return settle_admin(call, who, p, ret) < 0 ? -1 : 1;
}

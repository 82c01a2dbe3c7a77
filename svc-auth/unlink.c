#include "svc-auth/unlink.h"

#include <ctype.h>
#include <stdio.h>

#include "svc-auth/store_providers.h"

static char *lower(const char *text, struct arena *a)
{
	char *copy = arena_strdup(a, text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Rights that a provider gave are another's to give from now on: the next sign-in says. */
static int drop_rights(struct db *db, const struct account *who, const char *admin_email, struct error *err)
{
	int changed = store_set_admin_by_claim(db, who->uid, false, admin_email, err);

	if (changed <= 0)
		return changed;
	return store_end_sessions(db, who->uid, NULL, err) < 0 || store_revoke_keys(db, who->uid, err) < 0
	           ? -1
	           : 0;
}

static int unlink_one(struct db *db, const struct account *who, const struct unlinking *what, struct arena *a,
                      struct error *err)
{
	struct audit_row row = { .event = "identity_removed", .owner = who->uid, .detail = what->issuer };
	int dropped = store_drop_identity(db, who->uid, what->issuer, err);
	int64_t ended;

	if (dropped <= 0)
		return dropped < 0 ? -1
		                   : error_set(err, ERROR_NOT_FOUND, "%s is not linked with %s", who->email,
		                               what->issuer);
	if (store_end_provider_sessions(db, who->uid, what->issuer, NULL, &ended, err) < 0 ||
	    drop_rights(db, who, lower(what->admin_email, a), err) < 0)
		return -1;
	return store_audit(db, &row, err);
}

static int act(struct db *db, const struct unlinking *what, struct arena *a, struct error *err)
{
	struct account who;
	int found = store_find_account(db, lower(what->email, a), &who, a, err);

	if (found > 0)
		found = store_lock_account(db, who.uid, &who, a, err);
	if (found <= 0)
		return found < 0 ? -1
		                 : error_set(err, ERROR_NOT_FOUND, "there is no account of %s", what->email);
	return what->issuer ? unlink_one(db, &who, what, a, err)
	                    : store_print_identities(db, who.uid, stdout, err);
}

int unlink_person(struct db *db, const struct unlinking *what, struct arena *a, struct error *err)
{
	int result = db_begin(db, err);

	if (result == 0)
		result = act(db, what, a, err);
	if (result == 0)
		result = db_commit(db, err);
	if (result < 0)
		db_rollback(db);
	else if (what->issuer)
		printf("%s is no longer linked with %s\n", what->email, what->issuer);
	return result;
}

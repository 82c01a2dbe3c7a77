/* What stores write often: one row, a page of rows, whether anything changed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/db/internal.h"

#define MEMBER(msg, offset, type) (*(type *)((char *)(msg) + (offset)))

int db_find(struct db *db, const char *stmt, struct db_args args, PGresult **ret, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;

	if (db_exec(db, stmt, args, &res, err) < 0)
		return -1;
	if (PQntuples(res) == 0)
		return 0;
	*ret = TAKE(res);
	return 1;
}

int db_one(struct db *db, const char *stmt, struct db_args args, ProtobufCMessage *out, struct arena *a,
           struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, stmt, args, &res, err);

	return found <= 0 ? found : db_row(res, 0, out, a, err) < 0 ? -1 : 1;
}

int db_number(struct db *db, const char *stmt, struct db_args args, int64_t *ret, struct error *err)
{
	OWN(pgresult) PGresult *res = NULL;
	int found = db_find(db, stmt, args, &res, err);

	*ret = found > 0 ? strtoll(PQgetvalue(res, 0, 0), NULL, 10) : 0; /* "" when it is NULL */
	return found < 0 ? -1 : 0;
}

int db_changed(struct db *db, const char *stmt, struct db_args args, struct error *err)
{
	int64_t rows = 0;

	return db_change(db, stmt, args, &rows, err) < 0 ? -1 : rows > 0;
}

int db_must_find(int found, const char *what, struct error *err)
{
	return found == 0 ? error_set(err, ERROR_NOT_FOUND, "no such %s", what) : found < 0 ? -1 : 0;
}

/* --- Pages ------------------------------------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *items_of(const ProtobufCMessageDescriptor *list)
{
	unsigned i = 0;

	while (i < list->n_fields && list->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
		i++;
	assert(i < list->n_fields && list->fields[i].type == PROTOBUF_C_TYPE_MESSAGE);
	return &list->fields[i];
}

/* An item's id as a cursor shows it. */
static char *id_of(const ProtobufCMessage *item, struct arena *a)
{
	const ProtobufCFieldDescriptor *id =
	    protobuf_c_message_descriptor_get_field_by_name(item->descriptor, "id");

	assert(id && (id->type == PROTOBUF_C_TYPE_STRING || id->type == PROTOBUF_C_TYPE_INT64));
	if (id->type == PROTOBUF_C_TYPE_STRING)
		return MEMBER(item, id->offset, char *);
	return arena_printf(a, "%lld", (long long)MEMBER(item, id->offset, int64_t));
}

int db_page(struct db *db, const char *stmt, struct db_args args, int limit, int most, ProtobufCMessage *list,
            struct arena *a, struct error *err)
{
	const ProtobufCFieldDescriptor *items = items_of(list->descriptor);
	const ProtobufCFieldDescriptor *next =
	    protobuf_c_message_descriptor_get_field_by_name(list->descriptor, "next");
	size_t *count = &MEMBER(list, items->quantifier_offset, size_t);
	struct db_arg with_limit[DB_ARGS_MAX];
	OWN(pgresult) PGresult *res = NULL;

	assert(next && args.count < DB_ARGS_MAX);
	limit = limit > 0 && limit < most ? limit : most;
	memcpy(with_limit, args.args, (size_t)args.count * sizeof *with_limit);
	with_limit[args.count] = db_arg_int(limit + 1); /* the one more tells whether anything follows */
	if (db_exec(db, stmt, (struct db_args){ with_limit, args.count + 1 }, &res, err) < 0 ||
	    db_rows(res, items->descriptor, count, &MEMBER(list, items->offset, void *), a, err) < 0)
		return -1;
	if (*count > (size_t)limit) {
		*count = (size_t)limit;
		MEMBER(list, next->offset, char *) =
		    id_of(MEMBER(list, items->offset, ProtobufCMessage **)[limit - 1], a);
	}
	return 0;
}

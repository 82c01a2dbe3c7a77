#include "svc-chat/tools/toolbox.h"

#include <string.h>

#include "common/base/id.h"
#include "common/base/text.h"
#include "common/json/json.h"
#include "common/json/slice.h"
#include "svc-chat/store_decide.h"
#include "svc-chat/tools/name.h"

/* In the stored list of a server's tools: it was otherwise before. */
#define CHANGED "changed"

/* --- One tool ---------------------------------------------------------------------------------------------------------- */

static const char *member_json(json_object *tool, const char *key, struct arena *a)
{
	json_object *value = json_get(tool, key);

	return value ? json_print(value, a) : NULL;
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

static const char *digest(const char *description, const char *schema, const char *hints, struct arena *a)
{
	char *hash = arena_alloc(a, 65);
	struct text all;

	text_init(&all, a);
	text_adds(&all, or_nothing(description));
	text_addc(&all, '\n');
	text_adds(&all, or_nothing(schema));
	text_addc(&all, '\n');
	text_adds(&all, or_nothing(hints));
	sha256_hex(hash, all.at, all.length);
	return hash;
}

static const char *digest_of(json_object *tool, struct arena *a)
{
	return digest(json_string(tool, "description"), member_json(tool, "inputSchema", a),
	              member_json(tool, "annotations", a), a);
}

/* Said for this session? */
static bool is_allowed(const PGresult *allowed, const struct tool *tool)
{
	for (int i = 0; allowed && i < PQntuples(allowed); i++)
		if (db_int(allowed, i, "server_id") == tool->server->id &&
		    strcmp(db_text(allowed, i, "tool"), tool->own_name) == 0)
			return strcmp(db_text(allowed, i, "digest"), tool->digest) == 0;
	return false;
}

static const char *policy_of(const struct tool *tool, bool changed, const PGresult *policies,
                             const PGresult *allowed)
{
	const char *digest, *said = store_policy_of(policies, tool->server->id, tool->own_name, &digest);

	if (said && strcmp(said, "deny") == 0)
		return "deny";
	if (is_allowed(allowed, tool))
		return "allow";
	if (said && strcmp(said, "allow") == 0)
		return !digest || strcmp(digest, tool->digest) == 0 ? "allow" : "ask";
	return !said && tool->read_only && !changed ? "allow" : "ask";
}

static bool hint(const char *annotations, const char *quoted)
{
	struct slice rest = slice_object(slice_of(or_nothing(annotations))), key, value;

	while (slice_member(&rest, &key, &value))
		if (slice_is(key, quoted))
			return slice_is(value, "true");
	return false;
}

/* Of the stored list: inventory.c made it, and here is no tree made of it, for it is read before each answer. */
static void read_tool(const struct server_row *row, struct slice listed, struct tool *ret, bool *changed,
                      struct arena *a)
{
	struct slice rest = slice_object(listed), key, value;

	*ret = (struct tool){ .server = row };
	*changed = false;
	while (slice_member(&rest, &key, &value)) {
		if (slice_is(key, "\"name\""))
			ret->own_name = slice_text(value, a);
		else if (slice_is(key, "\"title\""))
			ret->title = slice_text(value, a);
		else if (slice_is(key, "\"description\""))
			ret->description = slice_text(value, a);
		else if (slice_is(key, "\"inputSchema\""))
			ret->schema = slice_json(value, a);
		else if (slice_is(key, "\"annotations\""))
			ret->annotations = slice_json(value, a);
		else if (slice_is(key, "\"" CHANGED "\""))
			*changed = slice_is(value, "true");
	}
	ret->own_name = or_nothing(ret->own_name);
	ret->digest = digest(ret->description, ret->schema, ret->annotations, a);
	ret->read_only = hint(ret->annotations, "\"readOnlyHint\"");
	ret->repeatable = ret->read_only || hint(ret->annotations, "\"idempotentHint\"");
	if (!ret->schema)
		ret->schema = "{\"type\":\"object\"}";
}

/* --- All of them ------------------------------------------------------------------------------------------------------- */

struct filling {
	struct tool_names names;
	size_t room; /* tools that there are */
	const PGresult *policies, *allowed;
	struct toolbox *box;
	bool for_turn; /* a call leads its user to the sign-in that is wanted */
	struct arena *arena;
};

static void add_server(struct filling *f, const struct server_row *row)
{
	struct slice rest = slice_array(slice_of(row->tools)), listed;
	bool connected =
	    strcmp(row->status, "connected") == 0 || (f->for_turn && strcmp(row->status, "needs_auth") == 0);

	while (f->box->count < f->room && slice_item(&rest, &listed)) {
		struct tool *tool = &f->box->tools[f->box->count];
		bool changed;

		read_tool(row, listed, tool, &changed, f->arena);
		tool->name = tool_name(&f->names, row->name, tool->own_name);
		if (!connected) /* its tools keep their names */
			continue;
		tool->policy = policy_of(tool, changed, f->policies, f->allowed);
		f->box->count++;
	}
}

int toolbox_fill(struct call *call, const struct server_row *rows, size_t count, const char *session,
                 struct toolbox *ret)
{
	OWN(pgresult) PGresult *policies = NULL, *allowed = NULL;
	struct filling f = { .box = ret, .for_turn = session != NULL, .arena = call->arena };

	*ret = (struct toolbox){ 0 };
	if (!count)
		return 0;
	if (store_policies(call->db, call->owner_id, &policies, call->err) < 0 ||
	    (session && store_allowed_in_session(call->db, call->owner_id, session, &allowed, call->err) < 0))
		return -1;
	f.policies = policies;
	f.allowed = allowed;
	for (size_t i = 0; i < count; i++)
		f.room += (size_t)rows[i].tools_count;
	ret->tools = arena_new(call->arena, struct tool, f.room);
	tool_names_init(&f.names, call->arena);
	for (size_t i = count; i-- > 0;) /* the oldest first, so that a new server renames no tool */
		add_server(&f, &rows[i]);
	return 0;
}

const struct tool *toolbox_find(const struct toolbox *box, const char *name)
{
	for (size_t i = 0; i < box->count; i++)
		if (strcmp(box->tools[i].name, name) == 0)
			return &box->tools[i];
	return NULL;
}

/* --- What changes ------------------------------------------------------------------------------------------------------- */

static json_object *find_by_name(json_object *list, const char *name)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && name; i++) {
		const char *its = json_string(json_object_array_get_idx(list, i), "name");

		if (its && strcmp(its, name) == 0)
			return json_object_array_get_idx(list, i);
	}
	return NULL;
}

const char *toolbox_mark_changes(const char *before, const char *now, struct arena *a)
{
	OWN(json) json_object *old = NULL, *list = NULL;
	struct error ignored = { 0 };

	if (json_parse(before, strlen(before), &old, &ignored) < 0 ||
	    json_parse(now, strlen(now), &list, &ignored) < 0)
		return now;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *tool = json_object_array_get_idx(list, i);
		json_object *was = find_by_name(old, json_string(tool, "name"));

		if (was && (json_flag(was, CHANGED, 0) || strcmp(digest_of(was, a), digest_of(tool, a)) != 0))
			json_object_object_add(tool, CHANGED, json_object_new_boolean(true));
	}
	return json_print(list, a);
}

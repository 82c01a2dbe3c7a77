#include <string.h>

#include "proto/generate/generate.h"

static struct text new_file(const struct model *m, const char *from)
{
	struct text t;

	text_init(&t, m->arena);
	text_addf(&t, "/* Made by proto/generate from proto/%s.proto. */\n", from);
	return t;
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

/* One row of a method table; handler is the thunk's name or "NULL". */
static void add_method(struct text *t, const struct rpc *r, const char *handler)
{
	text_addf(t, "\t{ \"%s\", 0x%08x, %s,\n\t  &%s__descriptor, &%s__descriptor,\n", r->wire, r->id,
	          word("ACCESS", &parley__access__descriptor,
	               r->http ? (int)r->http->access : PARLEY__ACCESS__INTERNAL, t->arena),
	          r->in->c_low, r->out->c_low);
	text_addf(t, "\t  %s, .reads = %s, .waits = %s, .idempotency_key = %s },\n", handler, truth(r->reads),
	          word("WAITS", &parley__waits__descriptor, (int)r->behaviour->waits, t->arena),
	          truth(r->behaviour->idempotency_key));
}

static void add_signature(struct text *t, const struct contract *c, const struct rpc *r)
{
	text_addf(t, "int %s_%s(struct call *call, const %s *in, %s *out)", c->name, r->low, r->in->c_type,
	          r->out->c_type);
}

static void methods_header(const struct model *m, const struct contract *c, const char *dir)
{
	struct text t = new_file(m, c->name);

	text_addf(
	    &t,
	    "#ifndef GEN_%s_METHODS_H\n#define GEN_%s_METHODS_H\n\n#include \"common/rpc/contract.h\"\n"
	    "#include \"common/service/call.h\"\n"
	    "#include \"%s.pb-c.h\"\n\n/* The service's own state, made in its main.c. */\nstruct %s;\n"
	    "static inline struct %s *%s_state(const struct call *call)\n{\n\treturn call->state;\n}\n\n"
	    "/* The handlers, to be written in svc-%s. */\n",
	    upper(c->name, m->arena), upper(c->name, m->arena), c->name, c->name, c->name, c->name, c->name);
	for (size_t i = 0; i < c->rpc_count; i++) {
		add_signature(&t, c, &c->rpcs[i]);
		text_adds(&t, ";\n");
	}
	text_addf(
	    &t,
	    "\n/* Without its migrations; %s_contract has them, too. */\nextern const struct method %s_methods[];\n"
	    "extern const struct contract %s_contract;\n\n#endif\n",
	    c->name, c->name, c->name);
	write_file(dir, arena_printf(m->arena, "%s.methods.h", c->name), &t);
}

void emit_methods(const struct model *m, const struct contract *c, const char *dir)
{
	struct text t = new_file(m, c->name);

	methods_header(m, c, dir);
	text_addf(&t, "#include \"common/db/db.h\"\n#include \"%s.methods.h\"\n\n", c->name);
	for (size_t i = 0; i < c->rpc_count; i++) {
		const struct rpc *r = &c->rpcs[i];

		text_addf(
		    &t,
		    "static int call_%s(struct call *call, const ProtobufCMessage *in, ProtobufCMessage *out)\n",
		    r->low);
		text_addf(&t, "{\n\treturn %s_%s(call, (const %s *)in, (%s *)out);\n}\n\n", c->name, r->low,
		          r->in->c_type, r->out->c_type);
	}
	text_addf(&t, "const struct method %s_methods[] = {\n", c->name);
	for (size_t i = 0; i < c->rpc_count; i++)
		add_method(&t, &c->rpcs[i], arena_printf(m->arena, "call_%s", c->rpcs[i].low));
	text_addf(&t,
	          "\t{ 0 },\n};\n\nextern const struct db_migration %s_migrations[];\n"
	          "const struct contract %s_contract = {\n\t\"%s\", .contexts = %d, .waiting = %d,\n"
	          "\t.methods = %s_methods, .migrations = %s_migrations,\n};\n",
	          c->name, c->name, c->name, c->service->contexts, c->service->waiting, c->name, c->name);
	write_file(dir, arena_printf(m->arena, "%s.methods.c", c->name), &t);
}

/* A typed call. Inline, so that a program may use the table without linking what makes calls from calls. */
static void add_client_call(struct text *t, const struct contract *c, const struct rpc *r)
{
	text_addf(
	    t,
	    "CHECKED static inline int %s_client_%s(struct peer *peer, struct call *call,\n"
	    "\tconst %s *in, %s **ret)\n{\n\tProtobufCMessage *out = NULL;\n"
	    "\tint rc = rpc_call_from(peer, call, &%s_client_methods[%s_METHOD_%s], &in->base, &out);\n\n"
	    "\t*ret = (%s *)out;\n\treturn rc;\n}\n\n",
	    c->name, r->low, r->in->c_type, r->out->c_type, c->name, upper(c->name, t->arena), r->upp,
	    r->out->c_type);
}

static void client_header(const struct model *m, const struct contract *c, const char *dir)
{
	struct text t = new_file(m, c->name);
	const char *name = upper(c->name, m->arena);
	bool typed = !same(c->name, "rpc");

	text_addf(&t, "#ifndef GEN_%s_CLIENT_H\n#define GEN_%s_CLIENT_H\n\n", name, name);
	text_addf(
	    &t,
	    "#include \"common/%s.h\"\n#include \"%s.pb-c.h\"\n\n/* Places in %s_client_methods. */\nenum {\n",
	    typed ? "service/call" : "rpc/method", c->name, c->name);
	for (size_t i = 0; i < c->rpc_count; i++)
		text_addf(&t, "\t%s_METHOD_%s,\n", name, c->rpcs[i].upp);
	text_addf(&t, "\t%s_METHODS\n};\nextern const struct method %s_client_methods[];\n\n", name, c->name);
	for (size_t i = 0; typed && i < c->rpc_count; i++)
		add_client_call(&t, c, &c->rpcs[i]);
	text_adds(&t, "#endif\n");
	write_file(dir, arena_printf(m->arena, "%s.client.h", c->name), &t);
}

void emit_client(const struct model *m, const struct contract *c, const char *dir)
{
	struct text t = new_file(m, c->name);

	client_header(m, c, dir);
	text_addf(&t, "#include \"%s.client.h\"\n\nconst struct method %s_client_methods[] = {\n", c->name,
	          c->name);
	for (size_t i = 0; i < c->rpc_count; i++)
		add_method(&t, &c->rpcs[i], "NULL");
	text_adds(&t, "\t{ 0 },\n};\n");
	write_file(dir, arena_printf(m->arena, "%s.client.c", c->name), &t);
}

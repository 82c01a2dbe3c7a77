#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "proto/generate/generate.h"

/* Field numbers of descriptor.proto: a comment's path is made of them. */
enum {
	FILE_MESSAGES = 4,
	FILE_ENUMS = 5,
	FILE_SERVICES = 6,
	MESSAGE_FIELDS = 2,
	MESSAGE_NESTED = 3,
	MESSAGE_ENUMS = 4,
	SERVICE_METHODS = 2,
	OPTION_NUMBER = 50001, /* of parley.http, parley.rule, parley.schema and parley.service */
	BEHAVIOUR_NUMBER = 50002,
	PATH_MAX_LENGTH = 16,
};

struct place { /* where in a file we are */
	const Google__Protobuf__FileDescriptorProto *file;
	const char *scope; /* "documents.Document" */
	int32_t path[PATH_MAX_LENGTH];
	size_t length;
};

static struct place inside(const struct place *p, int32_t kind, size_t index)
{
	struct place next = *p;

	if (next.length + 2 > PATH_MAX_LENGTH)
		stop("%s: messages are nested too deeply", p->scope);
	next.path[next.length++] = kind;
	next.path[next.length++] = (int32_t)index;
	return next;
}

static const char *comment_of(struct model *m, const struct place *p)
{
	return comment_at(p->file, p->path, p->length, m->arena);
}

/* Our options are unknown fields of the options messages. Said in several statements, one comes in several pieces,
 * which put together are the message. Each starts with its length, a varint. */
static ProtobufCMessage *option(struct model *m, const ProtobufCMessage *options, uint32_t number,
                                const ProtobufCMessageDescriptor *type)
{
	struct text bytes;
	bool found = false;
	ProtobufCMessage *msg;

	text_init(&bytes, m->arena);
	for (size_t i = 0; options && i < options->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *f = &options->unknown_fields[i];
		size_t skip = 0;

		if (f->tag != number)
			continue;
		found = true;
		while (skip < f->len && f->data[skip] & 0x80)
			skip++;
		text_add(&bytes, f->data + skip + 1, f->len - skip - 1);
	}
	if (!found)
		return NULL;
	msg = protobuf_c_message_unpack(type, NULL, bytes.length, (const uint8_t *)bytes.at);
	if (!msg)
		stop("an option %s cannot be read: are proto/http.proto and the build's copy the same?",
		     type->name);
	return msg;
}

/* The same for one that is a text; a later one counts. */
static const char *option_text(struct model *m, const ProtobufCMessage *options, uint32_t number)
{
	const char *text = NULL;

	for (size_t i = 0; options && i < options->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *f = &options->unknown_fields[i];

		if (f->tag == number && f->len > 0) /* short texts: their length is one byte */
			text = arena_strndup(m->arena, (const char *)f->data + 1, f->len - 1);
	}
	return text;
}

static int by_number(const void *a, const void *b)
{
	const struct field *x = a, *y = b;

	return (x->proto->number > y->proto->number) - (x->proto->number < y->proto->number);
}

static void load_enum(struct model *m, const struct place *p, const Google__Protobuf__EnumDescriptorProto *e)
{
	struct enumeration *to = &m->enums[m->enum_count++];

	*to = (struct enumeration){
		.name = arena_printf(m->arena, "%s.%s", p->scope, e->name),
		.comment = comment_of(m, p),
		.words = arena_new(m->arena, const char *, e->n_value),
		.count = e->n_value,
	};
	for (size_t i = 0; i < e->n_value; i++)
		to->words[i] = lower(e->value[i]->name, m->arena);
}

static void load_message(struct model *m, const struct place *p, const Google__Protobuf__DescriptorProto *d)
{
	static const Parley__Rule no_rule = PARLEY__RULE__INIT;
	struct message *to = &m->messages[m->message_count++];
	struct place in = *p;

	in.scope = arena_printf(m->arena, "%s.%s", p->scope, d->name);
	*to = (struct message){
		.name = in.scope,
		.c_type = c_type_name(in.scope, m->arena),
		.c_low = c_lower_name(in.scope, m->arena),
		.comment = comment_of(m, p),
		.schema = option_text(m, d->options ? &d->options->base : NULL, OPTION_NUMBER),
		.fields = arena_new(m->arena, struct field, d->n_field),
		.field_count = d->n_field,
	};
	for (size_t i = 0; i < d->n_field; i++) {
		const Field *f = d->field[i];
		struct place at = inside(&in, MESSAGE_FIELDS, i);
		const Parley__Rule *rule = NULL;

		if (f->options)
			rule = (const Parley__Rule *)option(m, &f->options->base, OPTION_NUMBER,
			                                    &parley__rule__descriptor);
		to->fields[i] = (struct field){
			.proto = f,
			.name = arena_printf(m->arena, "%s.%s", in.scope, f->name),
			.json_name = f->json_name,
			.comment = comment_of(m, &at),
			.rule = rule ? rule : &no_rule,
			.repeated =
			    f->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED,
		};
	}
	qsort(to->fields, to->field_count, sizeof *to->fields, by_number);
	for (size_t i = 0; i < d->n_enum_type; i++) {
		struct place at = inside(&in, MESSAGE_ENUMS, i);

		load_enum(m, &at, d->enum_type[i]);
	}
	for (size_t i = 0; i < d->n_nested_type; i++) {
		struct place at = inside(&in, MESSAGE_NESTED, i);

		load_message(m, &at, d->nested_type[i]);
	}
}

static void load_rpc(struct model *m, const struct place *p, const struct contract *c,
                     const Google__Protobuf__MethodDescriptorProto *d, struct rpc *to)
{
	static const Parley__Behaviour no_behaviour = PARLEY__BEHAVIOUR__INIT;
	const ProtobufCMessage *options = d->options ? &d->options->base : NULL;
	const Parley__Behaviour *behaviour =
	    (const Parley__Behaviour *)option(m, options, BEHAVIOUR_NUMBER, &parley__behaviour__descriptor);

	*to = (struct rpc){
		.contract = c,
		.name = arena_printf(m->arena, "%s.%s", c->name, d->name),
		.low = c_lower_name(d->name, m->arena),
		.comment = comment_of(m, p),
		.in = model_message(m, d->input_type),
		.out = model_message(m, d->output_type),
		.http = (const Parley__Http *)option(m, options, OPTION_NUMBER, &parley__http__descriptor),
		.behaviour = behaviour ? behaviour : &no_behaviour,
		.reads =
		    d->options && d->options->idempotency_level ==
		                      GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS,
	};
	to->upp = upper(to->low, m->arena);
	to->wire = arena_printf(m->arena, "%s.%s", c->name, to->low);
	to->id = fnv1a(to->wire);
	if (d->client_streaming || d->server_streaming)
		mistake(m, to->name, "streams are marked in (parley.http), not with the word stream");
	if (!to->in || !to->out)
		stop("%s: its messages must be of the contracts", to->name);
	if (!to->http)
		return;
	switch (to->http->path_case) {
	case PARLEY__HTTP__PATH_GET: to->verb = "GET", to->path = to->http->get; break;
	case PARLEY__HTTP__PATH_POST: to->verb = "POST", to->path = to->http->post; break;
	case PARLEY__HTTP__PATH_PUT: to->verb = "PUT", to->path = to->http->put; break;
	case PARLEY__HTTP__PATH_DELETE: to->verb = "DELETE", to->path = to->http->delete_; break;
	default: stop("%s: (parley.http) needs one of get, post, put, delete", to->name);
	}
}

static void load_contract(struct model *m, const Google__Protobuf__FileDescriptorProto *file)
{
	static const Parley__Service nothing_said = PARLEY__SERVICE__INIT;
	const Google__Protobuf__ServiceOptions *options;
	struct contract *to;
	struct place p = { .file = file, .scope = file->package };

	if (!file->n_service)
		return;
	if (file->n_service > 1)
		stop("%s: one service per contract", file->name);
	p = inside(&p, FILE_SERVICES, 0);
	to = &m->contracts[m->contract_count++];
	to->name = file->package;
	to->comment = comment_of(m, &p);
	options = file->service[0]->options;
	if (options)
		to->service = (const Parley__Service *)option(m, &options->base, OPTION_NUMBER,
		                                              &parley__service__descriptor);
	if (!to->service)
		to->service = &nothing_said;
	to->rpc_count = file->service[0]->n_method;
	to->rpcs = arena_new(m->arena, struct rpc, to->rpc_count);
	for (size_t i = 0; i < to->rpc_count; i++) {
		struct place at = inside(&p, SERVICE_METHODS, i);

		load_rpc(m, &at, to, file->service[0]->method[i], &to->rpcs[i]);
	}
}

static bool is_ours(const Google__Protobuf__FileDescriptorProto *file)
{
	return file->package && !same(file->package, "google.protobuf") && !same(file->package, "parley");
}

static size_t count_messages(const Google__Protobuf__DescriptorProto *d, size_t *enums)
{
	size_t n = 1;

	*enums += d->n_enum_type;
	for (size_t i = 0; i < d->n_nested_type; i++)
		n += count_messages(d->nested_type[i], enums);
	return n;
}

static void resolve(struct model *m, struct field *f)
{
	const char *type = f->proto->type_name;

	if (f->proto->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE) {
		f->sub = model_message(m, type);
		if (!f->sub)
			stop("%s: the message %s is not of the contracts", f->name, type + 1);
	}
	for (size_t i = 0; type && i < m->enum_count; i++) {
		if (same(m->enums[i].name, type + 1))
			f->words = &m->enums[i];
	}
	if (f->rule->like)
		f->like = model_message(m, f->rule->like);
}

void model_load(struct model *m, const void *bytes, size_t size)
{
	Google__Protobuf__FileDescriptorSet *set =
	    google__protobuf__file_descriptor_set__unpack(NULL, size, bytes);
	size_t messages = 0, enums = 0;

	if (!set)
		stop("this is not a descriptor set");
	for (size_t i = 0; i < set->n_file; i++) {
		enums += set->file[i]->n_enum_type;
		for (size_t j = 0; j < set->file[i]->n_message_type; j++)
			messages += count_messages(set->file[i]->message_type[j], &enums);
	}
	m->messages = arena_new(m->arena, struct message, messages);
	m->enums = arena_new(m->arena, struct enumeration, enums);
	m->contracts = arena_new(m->arena, struct contract, set->n_file);
	for (size_t i = 0; i < set->n_file; i++) {
		const Google__Protobuf__FileDescriptorProto *file = set->file[i];
		struct place p = { .file = file, .scope = file->package };

		if (!is_ours(file))
			continue;
		if (!same(file->name, arena_printf(m->arena, "%s.proto", file->package)))
			stop("%s: its package must be named as the file", file->name);
		for (size_t j = 0; j < file->n_enum_type; j++) {
			struct place at = inside(&p, FILE_ENUMS, j);

			load_enum(m, &at, file->enum_type[j]);
		}
		for (size_t j = 0; j < file->n_message_type; j++) {
			struct place at = inside(&p, FILE_MESSAGES, j);

			load_message(m, &at, file->message_type[j]);
		}
	}
	for (size_t i = 0; i < m->message_count; i++) {
		for (size_t j = 0; j < m->messages[i].field_count; j++)
			resolve(m, &m->messages[i].fields[j]);
	}
	for (size_t i = 0; i < set->n_file; i++) {
		if (is_ours(set->file[i]))
			load_contract(m, set->file[i]);
	}
}

const struct message *model_message(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->message_count; i++) {
		if (same(m->messages[i].name, *name == '.' ? name + 1 : name))
			return &m->messages[i];
	}
	return NULL;
}

const struct field *message_field(const struct message *msg, const char *json_name)
{
	for (size_t i = 0; i < msg->field_count; i++) {
		if (same(msg->fields[i].json_name, json_name))
			return &msg->fields[i];
	}
	return NULL;
}

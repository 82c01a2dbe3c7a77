#include <string.h>

#include "proto/generate/generate.h"

static void add_aliases(struct text *t, const struct message *msg, const struct field *f)
{
	text_addf(t, "static const char *const aliases_%s_%d[] = { ", msg->c_low, f->proto->number);
	for (size_t i = 0; i < f->rule->n_alias; i++) {
		text_add_json(t, f->rule->alias[i], strlen(f->rule->alias[i]));
		text_adds(t, ", ");
	}
	text_adds(t, "NULL };\n");
}

static void add_flag(struct text *t, bool value, const char *name)
{
	if (value)
		text_addf(t, ", .%s = true", name);
}

/* Only what is said: the rest is zero, which means "not said". */
static void add_field(struct text *t, const struct message *msg, const struct field *f)
{
	const Parley__Rule *r = f->rule;
	const struct message *sub = f->sub ? f->sub : f->like;

	text_addf(t, "\t{ .json_name = \"%s\"", f->json_name);
	if (r->n_alias)
		text_addf(t, ", .aliases = aliases_%s_%d", msg->c_low, f->proto->number);
	if (sub)
		text_addf(t, ", .sub = &shape_%s", sub->c_low);
	if (r->one_of) {
		text_adds(t, ", .one_of = ");
		text_add_json(t, r->one_of, strlen(r->one_of));
	}
	if (r->format)
		text_addf(t, ", .format = %s",
		          word("FORMAT", &parley__format__descriptor, (int)r->format, t->arena));
	if (r->source)
		text_addf(t, ", .source = %s",
		          word("SOURCE", &parley__source__descriptor, (int)r->source, t->arena));
	add_flag(t, r->required, "required");
	add_flag(t, r->resets, "resets");
	add_flag(t, r->omit_absent, "omit_absent");
	add_flag(t, r->trim, "trim");
	if (r->min_length)
		text_addf(t, ", .min_length = %d", r->min_length);
	if (r->max_length)
		text_addf(t, ", .max_length = %d", r->max_length);
	if (r->max_items)
		text_addf(t, ", .max_items = %d", r->max_items);
	if (r->has_minimum)
		text_addf(t, ", .has_minimum = true, .minimum = %.17g", r->minimum);
	if (r->has_maximum)
		text_addf(t, ", .has_maximum = true, .maximum = %.17g", r->maximum);
	text_adds(t, " },\n");
}

static void add_shape(struct text *t, const struct message *msg)
{
	for (size_t i = 0; i < msg->field_count; i++) {
		if (msg->fields[i].rule->n_alias)
			add_aliases(t, msg, &msg->fields[i]);
	}
	if (msg->field_count) {
		text_addf(t, "static const struct shape_field fields_%s[] = {\n", msg->c_low);
		for (size_t i = 0; i < msg->field_count; i++)
			add_field(t, msg, &msg->fields[i]);
		text_adds(t, "};\n");
	}
	text_addf(t, "const struct shape shape_%s = { &%s__descriptor, ", msg->c_low, msg->c_low);
	text_addf(t, msg->field_count ? "fields_%s };\n\n" : "NULL };\n\n", msg->c_low);
}

void emit_shapes(const struct model *m, const char *dir)
{
	struct text h, c;

	text_init(&h, m->arena);
	text_init(&c, m->arena);
	text_adds(
	    &h,
	    "/* Made by proto/generate: the shape of documents.Document is shape_documents__document. */\n"
	    "#ifndef GEN_SHAPES_H\n#define GEN_SHAPES_H\n\n#include \"common/json/shape.h\"\n\n");
	text_adds(&c, "/* Made by proto/generate. */\n#include \"shapes.h\"\n\n");
	for (size_t i = 0; i < m->contract_count; i++)
		text_addf(&c, "#include \"%s.pb-c.h\"\n", m->contracts[i].name);
	text_adds(&c, "\n");
	for (size_t i = 0; i < m->message_count; i++) {
		text_addf(&h, "extern const struct shape shape_%s;\n", m->messages[i].c_low);
		add_shape(&c, &m->messages[i]);
	}
	text_adds(&h, "\n#endif\n");
	write_file(dir, "shapes.h", &h);
	write_file(dir, "shapes.c", &c);
}

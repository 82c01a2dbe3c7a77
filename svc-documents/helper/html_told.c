/* What a page tells machines of its text: JSON-LD (schema.org), in scripts. Pages of questions often hold no more. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/html.h"

enum { NESTED_MAX = 32, LIKE = 40 /* bytes that tell whether a text stands there already */, MOST = 1000 };

struct told {
	struct out *o;
	char *all; /* the letters of what stands there; NULL: not looked at yet */
	size_t size;
	int count;
};

static const char *text_of(json_object *object, const char *name)
{
	json_object *value = json_object_object_get(object, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* A type, or one of several. */
static bool has_type(json_object *object, const char *type)
{
	json_object *value = json_object_object_get(object, "@type");

	if (json_object_is_type(value, json_type_string))
		return strcmp(json_object_get_string(value), type) == 0;
	for (size_t i = 0; json_object_is_type(value, json_type_array) && i < json_object_array_length(value);
	     i++) {
		const char *one = json_object_get_string(json_object_array_get_idx(value, i));

		if (one && strcmp(one, type) == 0)
			return true;
	}
	return false;
}

/* Letters and digits alone: how they are set differs, and in which quotation marks, dashes and blanks. */
static size_t letters_of(const char *text, size_t size, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		/* U+0080 to U+00BF, and U+2000 to U+2FFF: signs all */
		if (c == 0xc2)
			i += 1;
		else if (c == 0xe2)
			i += 2;
		else if (c >= 0x80 || isalnum(c))
			ret[n++] = text[i];
	}
	return n;
}

static void remember(struct told *t, const struct out *text)
{
	char *all = there(realloc(t->all, t->size + text->size + 1));

	t->all = all;
	t->size += letters_of(text->at ? text->at : "", text->size, all + t->size);
}

/* Do most of its beginning, its middle and its end? A page that shows the beginning alone does not say it. */
static bool stands_there(struct told *t, const struct out *text)
{
	char *some = there(malloc(text->size + 1));
	size_t n, like, found = 0;

	if (!t->all)
		remember(t, t->o);
	n = letters_of(text->at, text->size, some);
	like = n < LIKE ? n : LIKE;
	for (size_t i = 0; i <= 2; i++)
		found += memmem(t->all, t->size, some + (n - like) * i / 2, like) != NULL;
	free(some);
	return found >= 2;
}

/* It may be a piece of a page. */
static void write_text(struct told *t, const char *heading, const char *text)
{
	struct out inner = { 0 };
	char *copy;

	if (t->count++ >= MOST)
		return;
	copy = there(strdup(text));
	html_read(copy, strlen(copy), &inner);
	if (inner.size && !stands_there(t, &inner)) {
		out_break(t->o, 2);
		if (heading) {
			out_plain(t->o, "###", 3);
			t->o->space = true;
			out_text(t->o, heading, strlen(heading));
			out_break(t->o, 2);
		}
		out_plain(t->o, inner.at, inner.size);
		out_break(t->o, 2);
		t->o->told = true;
		remember(t, &inner);
	}
	free(inner.at);
	free(copy);
}

/* The first answer, of whatever there are. */
static const char *answer_to(json_object *question)
{
	static const char *const names[] = { "acceptedAnswer", "suggestedAnswer", NULL };

	for (const char *const *n = names; *n; n++) {
		json_object *answer = json_object_object_get(question, *n);

		if (json_object_is_type(answer, json_type_array))
			answer = json_object_array_get_idx(answer, 0);
		if (json_object_is_type(answer, json_type_object) && text_of(answer, "text"))
			return text_of(answer, "text");
	}
	return NULL;
}

static void look(struct told *t, json_object *value, int depth)
{
	if (depth > NESTED_MAX)
		return;
	for (size_t i = 0; json_object_is_type(value, json_type_array) && i < json_object_array_length(value);
	     i++)
		look(t, json_object_array_get_idx(value, i), depth + 1);
	if (!json_object_is_type(value, json_type_object))
		return;
	if (has_type(value, "Question") && answer_to(value)) {
		write_text(t, text_of(value, "name") ? text_of(value, "name") : text_of(value, "text"),
		           answer_to(value));
		return;
	}
	if (text_of(value, "articleBody"))
		write_text(t, NULL, text_of(value, "articleBody"));
	json_object_object_foreach(value, name, member)
	{
		(void)name;
		look(t, member, depth + 1);
	}
}

static void read_script(const GumboNode *script, struct told *t)
{
	const GumboVector *children = &script->v.element.children;
	struct json_tokener *tokener = json_tokener_new_ex(NESTED_MAX);
	const GumboNode *text = children->length ? children->data[0] : NULL;
	json_object *value = NULL;

	if (tokener && text && (text->type == GUMBO_NODE_TEXT || text->type == GUMBO_NODE_CDATA))
		value = json_tokener_parse_ex(tokener, text->v.text.text, (int)strlen(text->v.text.text));
	if (value)
		look(t, value, 0);
	json_object_put(value);
	json_tokener_free(tokener);
}

static void find(const GumboNode *node, struct told *t, int depth)
{
	static const char *const types[] = { "application/ld+json", NULL };

	if (node->type != GUMBO_NODE_ELEMENT || depth > HTML_DEPTH_MAX)
		return;
	if (node->v.element.tag == GUMBO_TAG_SCRIPT &&
	    html_is(html_attribute(&node->v.element, "type"), types))
		read_script(node, t);
	for (unsigned i = 0; i < node->v.element.children.length; i++)
		find(node->v.element.children.data[i], t, depth + 1);
}

void html_write_told(const GumboNode *root, struct out *o)
{
	struct told t = { .o = o };

	find(root, &t, 0);
	free(t.all);
}

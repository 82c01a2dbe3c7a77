#include "svc-integrations/handover/words.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/format.h"

static const char *member(json_object *object, const char *key)
{
	const char *value = json_string(object, key);

	return value ? value : "";
}

static char *message(json_object *m, struct arena *a)
{
	return arena_printf(a, "%s, %s:\n%s\n\n",
	                    strcmp(member(m, "role"), "user") == 0 ? "Visitor" : "Chatbot",
	                    member(m, "createdAt"), member(m, "content"));
}

/* The latest that fit. */
static void add_messages(struct text *out, json_object *data, size_t most, struct arena *a)
{
	json_object *list = json_get(data, "messages");
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	char **said = arena_new(a, char *, count);
	size_t from = count, bytes = 0;

	while (from > 0) {
		said[from - 1] = message(json_object_array_get_idx(list, from - 1), a);
		bytes += strlen(said[from - 1]);
		if (bytes > most)
			break;
		from--;
	}
	if (from > 0 || json_flag(data, "more", 0))
		text_adds(out, "(What was said before is left out here.)\n\n");
	for (size_t i = from; i < count; i++)
		text_adds(out, said[i]);
}

void handover_words(json_object *data, const char *place, size_t most, struct handover_words *ret,
                    struct arena *a)
{
	bool asked = strcmp(member(data, "reason"), "asked_for_person") == 0;
	const char *contact = json_string(data, "contact"), *name = json_string(data, "name");
	struct text out;

	*ret = (struct handover_words){
		.subject = arena_printf(
		    a, asked ? "Somebody asks for a person: %s" : "Somebody was not helped: %s", place),
		.reply_to =
		    contact && format_email(contact, strlen(contact)) ? arena_strdup(a, contact) : NULL,
	};
	text_init(&out, a);
	text_addf(&out,
	          asked ? "Somebody asks to speak with a person (%s).\n"
	                : "The chatbot found no answer for somebody (%s).\n",
	          place);
	if (name)
		text_addf(&out, "Name: %s\n", name);
	if (contact)
		text_addf(&out, "Reach them here: %s\n", contact);
	text_adds(&out, "\nThe conversation:\n\n");
	add_messages(&out, data, most, a);
	ret->text = out.at;
}

/* links: svc-auth/preferences.c */
/* Settings as a client sends them, laid over what was stored before: the bytes up to the first 0xff, then the patch. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "svc-auth/preferences.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *border = memchr(bytes, 0xff, size);
	size_t first = border ? (size_t)(border - bytes) : 0;
	const char *parts[2] = { "{}", "{}" }, *stored, *name, *view;
	struct account who = {
		.uid = "u", .email = "e", .display_name = "n", .created_at = "c", .updated_at = "d"
	};
	static const struct limits limits;
	struct usage usage = { 0 };
	struct error err = { 0 };
	struct arena a;

	arena_init(&a, 0);
	for (int i = 0; i < 2; i++) { /* only objects come this far: the gateway and the store see to that */
		const char *text = (const char *)bytes + (i && border ? first + 1 : 0);
		size_t length = i ? size - (border ? first + 1 : 0) : first;
		json_object *object = NULL;

		if (json_parse(text, length, &object, &err) == 0 &&
		    json_object_is_type(object, json_type_object))
			parts[i] = arena_strndup(&a, text, length);
		json_object_put(object);
		error_clear(&err);
	}
	if (preferences_merge(parts[0], parts[1], &stored, &name, &a, &err) == 0) {
		const char *again;

		who.preferences = stored;
		if (preferences_view(&who, NULL, &usage, &limits, &view, &a, &err) < 0)
			abort(); /* what was stored can be shown */
		if (preferences_merge(stored, parts[1], &again, &name, &a, &err) < 0 ||
		    strcmp(again, stored) != 0)
			abort(); /* the same change again changes nothing */
	}
	arena_done(&a);
	return 0;
}

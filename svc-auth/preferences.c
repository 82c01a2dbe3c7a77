#include "svc-auth/preferences.h"

#include <string.h>

#include "common/json/json.h"

/* What a patch may name and never changes. */
static const char *const protected_keys[] = { "userId",       "email",     "apiKey",   "usage",
	                                      "subscription", "createdAt", "updatedAt" };

static bool is_protected(const char *key)
{
	for (size_t i = 0; i < sizeof protected_keys / sizeof *protected_keys; i++)
		if (strcmp(key, protected_keys[i]) == 0)
			return true;
	return false;
}

/* --- Changing ---------------------------------------------------------------------------------------------------- */

/* Lay patch over object; null removes, at any depth (which json_parse() bounds). */
static void lay_over(json_object *object, json_object *patch) // NOLINT(misc-no-recursion)
{
	json_object_object_foreach(patch, key, value)
	{
		json_object *now = json_get(object, key);

		if (!value) {
			json_object_object_del(object, key);
			continue;
		}
		if (!json_object_is_type(value, json_type_object)) {
			json_object_object_add(object, key, json_object_get(value));
			continue;
		}
		if (!json_object_is_type(now, json_type_object)) {
			now = json_object_new_object();
			json_object_object_add(object, key, now);
		}
		lay_over(now, value);
	}
}

static int check_theme(json_object *value, struct arena *a, struct error *err)
{
	if (!value ||
	    (json_object_is_type(value, json_type_string) && json_object_get_string_len(value) <= 50))
		return 0;
	return error_field(err, a, "body", "theme", "type_error", "must be a word of at most 50 characters");
}

static int check_notifications(json_object *value, struct arena *a, struct error *err)
{
	static const char *const keys[] = { "email", "inApp" };

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_object))
		return error_field(err, a, "body", "notifications", "type_error", "must be an object");
	for (size_t i = 0; i < 2; i++) {
		json_object *one = json_get(value, keys[i]);

		if (one && !json_object_is_type(one, json_type_boolean))
			return error_field(err, a, "body", arena_printf(a, "notifications.%s", keys[i]),
			                   "type_error", "must be true or false");
	}
	return 0;
}

static int check_name(json_object *value, const char **ret, struct arena *a, struct error *err)
{
	size_t length;

	if (!value)
		return 0;
	if (json_object_is_type(value, json_type_string)) {
		const char *name = json_object_get_string(value);

		length = utf8_length(name, strlen(name));
		if (length >= 1 && length <= 100 && name[strspn(name, " \t\r\n")]) {
			*ret = arena_strdup(a, name);
			return 0;
		}
	}
	return error_field(err, a, "body", "displayName", "value_error", "must have 1 to 100 characters");
}

/* What has a meaning must make sense. Every bad field is told, not only the first. */
static int check(json_object *patch, const char **display_name, struct arena *a, struct error *err)
{
	int bad = 0;

	bad |= check_theme(json_get(patch, "theme"), a, err);
	bad |= check_notifications(json_get(patch, "notifications"), a, err);
	bad |= check_name(json_get(patch, "displayName"), display_name, a, err);
	return bad;
}

int preferences_merge(const char *stored, const char *patch, const char **ret, const char **display_name,
                      struct arena *a, struct error *err)
{
	OWN(json) json_object *object = NULL;
	OWN(json) json_object *change = NULL;

	*display_name = NULL;
	if (json_parse(stored, strlen(stored), &object, err) < 0 ||
	    json_parse(patch, strlen(patch), &change, err) < 0 || check(change, display_name, a, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof protected_keys / sizeof *protected_keys; i++)
		json_object_object_del(change, protected_keys[i]);
	json_object_object_del(change, "displayName");
	lay_over(object, change);
	*ret = json_print(object, a);
	if (strlen(*ret) > PREFERENCES_MAX)
		return error_set(err, ERROR_TOO_LARGE, "settings may have at most %d bytes in all",
		                 PREFERENCES_MAX);
	return 0;
}

/* --- Showing ----------------------------------------------------------------------------------------------------- */

static void add_text(json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

static void add_count(json_object *object, const char *key, bool known, int64_t value)
{
	json_object_object_add(object, key, known ? json_object_new_int64(value) : NULL);
}

static json_object *notifications(json_object *chosen)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "email", json_object_new_boolean(1));
	json_object_object_add(object, "inApp", json_object_new_boolean(1));
	if (json_object_is_type(chosen, json_type_object))
		lay_over(object, chosen);
	return object;
}

static json_object *limits_view(const struct limits *limits)
{
	json_object *object = json_object_new_object();

	add_count(object, "documents", true, limits->documents);
	add_count(object, "storage", true, limits->bytes);
	add_count(object, "chatbots", true, limits->chatbots);
	add_count(object, "integrations", true, limits->integrations);
	add_count(object, "mcpServers", true, limits->servers);
	add_count(object, "apiKeys", true, limits->keys);
	return object;
}

int preferences_view(const struct account *who, const char *api_key, const struct usage *usage,
                     const struct limits *limits, const char **ret, struct arena *a, struct error *err)
{
	OWN(json) json_object *chosen = NULL;
	OWN(json) json_object *all = json_object_new_object();
	json_object *figures, *plan;

	if (json_parse(who->preferences, strlen(who->preferences), &chosen, err) < 0)
		return -1;
	add_text(all, "userId", who->uid);
	add_text(all, "email", who->email);
	add_text(all, "displayName", who->display_name);
	add_text(all, "theme", json_string(chosen, "theme") ? json_string(chosen, "theme") : "system");
	json_object_object_add(all, "notifications", notifications(json_get(chosen, "notifications")));
	add_text(all, "apiKey", api_key);
	figures = json_object_new_object();
	json_object_object_add(all, "usage", figures);
	add_count(figures, "messagesUsed", usage->has_messages, usage->messages);
	add_count(figures, "documentsUploaded", usage->has_documents, usage->documents);
	add_count(figures, "storageUsed", usage->has_documents, usage->bytes);
	json_object_object_add(figures, "limits", limits_view(limits));
	plan = json_object_new_object();
	json_object_object_add(all, "subscription", plan);
	add_text(plan, "plan", "free");
	add_text(all, "createdAt", who->created_at);
	add_text(all, "updatedAt", who->updated_at);
	json_object_object_foreach(chosen, key, value)
	{
		if (!is_protected(key) && strcmp(key, "theme") != 0 && strcmp(key, "notifications") != 0)
			json_object_object_add(all, key, json_object_get(value));
	}
	*ret = json_print(all, a);
	return 0;
}

#include "common/base/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_int(const struct config_key *key, const char *value, int64_t *ret, struct error *err)
{
	char *end;

	errno = 0;
	*ret = strtoll(value, &end, 10);
	if (errno || *end || end == value || *ret < 0 || strchr(" \t+", *value))
		return error_set(err, ERROR_INVALID, "%s must be a whole number, not \"%.40s\"", key->name,
		                 value);
	return 0;
}

static int read_bool(const struct config_key *key, const char *value, bool *ret, struct error *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "1", true },  { "true", true },   { "yes", true },
		      { "0", false }, { "false", false }, { "no", false } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!strcmp(value, words[i].word)) {
			*ret = words[i].value;
			return 0;
		}
	}
	return error_set(err, ERROR_INVALID, "%s must be true or false, not \"%.40s\"", key->name, value);
}

static int load_one(const struct config_key *key, void *settings, struct arena *a, struct error *err)
{
	char *member = (char *)settings + key->offset;
	const char *value = getenv(key->name);

	if (!value || !*value) /* compose hands on unset variables as empty ones */
		value = key->fallback;
	if (!value)
		return error_set(err, ERROR_INVALID, "%s must be set: %s", key->name, key->about);
	switch (key->kind) {
	case CONFIG_KIND_INT: return read_int(key, value, (int64_t *)(void *)member, err);
	case CONFIG_KIND_BOOL: return read_bool(key, value, (bool *)member, err);
	case CONFIG_KIND_TEXT: break;
	}
	*(const char **)(void *)member = arena_strdup(a, value);
	return 0;
}

int config_load(const struct config_key *keys, size_t count, void *settings, struct arena *a,
                struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (load_one(&keys[i], settings, a, err) < 0)
			return -1;
	}
	return 0;
}

void config_print(const struct config_key *keys, size_t count)
{
	size_t name = 0, fallback = 0;

	for (size_t i = 0; i < count; i++) {
		const char *shown = keys[i].fallback ? keys[i].fallback : "(required)";

		name = strlen(keys[i].name) > name ? strlen(keys[i].name) : name;
		fallback = strlen(shown) > fallback && strlen(shown) <= 32 ? strlen(shown) : fallback;
	}
	for (size_t i = 0; i < count; i++)
		printf("  %-*s  %-*s  %s\n", (int)name, keys[i].name, (int)fallback,
		       keys[i].fallback ? keys[i].fallback : "(required)", keys[i].about);
}

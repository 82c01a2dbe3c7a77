/*
 * config: the environment, read once in main() into a struct of settings.
 *
 *	static const struct config_key keys[] = {
 *		CONFIG_TEXT(struct settings, database_url, "DATABASE_URL", NULL, "where PostgreSQL is (libpq form)"),
 *		CONFIG_INT(struct settings, upload_max, "DOCUMENTS_UPLOAD_MAX", "52428800", "largest file, bytes"),
 *	};
 *
 * A required key (default NULL) that is missing, or a value that cannot be, stops the start with a sentence that
 * names the key. --help prints the table, which is also what the README's table is made from.
 */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum config_kind { CONFIG_KIND_TEXT, CONFIG_KIND_INT, CONFIG_KIND_BOOL };

struct config_key {
	const char *name;     /* of the environment variable */
	const char *fallback; /* NULL: required; "" : empty when not given */
	const char *about;
	size_t offset;
	enum config_kind kind;
};

#define CONFIG_TEXT(type, member, name, fallback, about)                        \
	{                                                                       \
		name, fallback, about, offsetof(type, member), CONFIG_KIND_TEXT \
	} /* const char * */
#define CONFIG_INT(type, member, name, fallback, about)                        \
	{                                                                      \
		name, fallback, about, offsetof(type, member), CONFIG_KIND_INT \
	} /* int64_t */
#define CONFIG_BOOL(type, member, name, fallback, about)                        \
	{                                                                       \
		name, fallback, about, offsetof(type, member), CONFIG_KIND_BOOL \
	} /* bool: 0, 1, false, true */

/* Strings are copied into the arena. */
int config_load(const struct config_key *keys, size_t count, void *settings, struct arena *a,
                struct error *err) CHECKED;
void config_print(const struct config_key *keys, size_t count); /* to stdout, aligned, with defaults */

#endif

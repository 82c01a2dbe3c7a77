/*
 * config: the environment, read once in main() into a struct of settings.
 *
 *	static const struct config_key keys[] = {
 *		CONFIG_SECRET(struct settings, database_url, "DATABASE_URL", NULL, "where PostgreSQL is (libpq form)"),
 *		CONFIG_BETWEEN(struct settings, jobs, "DOCUMENTS_JOBS", "3", 1, 64, "documents processed at once"),
 *		CONFIG_ONE_OF(struct settings, provider, "CHAT_PROVIDER", "builtin", "builtin|openai", "who answers"),
 *	};
 *
 * White space round a value is dropped; an empty value is none. A required key (default NULL) that is missing, or a value
 * that cannot be, stops the start: with a sentence for each, all of them at once. A secret NAME may also be given as
 * NAME_FILE, the file that holds it. --help prints the table, which is also what the README's table is made from.
 */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/log.h"

enum config_kind {
	CONFIG_KIND_TEXT,
	CONFIG_KIND_INT,
	CONFIG_KIND_BOOL,
	CONFIG_KIND_ONE_OF, /* of `among`, with "|" between them */
	CONFIG_KIND_URL,    /* of a scheme of `among`; slashes at its end are taken off */
	CONFIG_KIND_EMAIL,
	CONFIG_KIND_LISTEN,   /* host:port */
	CONFIG_KIND_ENDPOINT, /* tcp://host:port, or as config_is_local() says */
	CONFIG_KIND_PATH,     /* a file that can be read */
	CONFIG_KIND_SECRET,
};

struct config_key {
	const char *name;     /* of the environment variable */
	const char *fallback; /* NULL: required; "" : empty when not given */
	const char *about;
	size_t offset;
	enum config_kind kind;
	const char *among;
	int64_t least, most; /* of a number; most 0: no bound */
};

#define CONFIG_KEY(type, member, name, fallback, kind, among, about)       \
	{                                                                  \
		name, fallback, about, offsetof(type, member), kind, among \
	}
#define CONFIG_TEXT(type, member, name, fallback,                                  \
                    about) /* const char *, as all below but numbers and truths */ \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_TEXT, NULL, about)
#define CONFIG_ONE_OF(type, member, name, fallback, among, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_ONE_OF, among, about)
#define CONFIG_URL(type, member, name, fallback, schemes, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_URL, schemes, about)
#define CONFIG_EMAIL(type, member, name, fallback, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_EMAIL, NULL, about)
#define CONFIG_LISTEN(type, member, name, fallback, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_LISTEN, NULL, about)
#define CONFIG_ENDPOINT(type, member, name, fallback, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_ENDPOINT, NULL, about)
#define CONFIG_PATH(type, member, name, fallback, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_PATH, NULL, about)
#define CONFIG_SECRET(type, member, name, fallback, about) \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_SECRET, NULL, about)
#define CONFIG_INT(type, member, name, fallback, about) /* int64_t */ \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_INT, NULL, about)
#define CONFIG_BETWEEN(type, member, name, fallback, least, most, about)                          \
	{                                                                                         \
		name, fallback, about, offsetof(type, member), CONFIG_KIND_INT, NULL, least, most \
	}                                                /* int64_t */
#define CONFIG_BOOL(type, member, name, fallback, about) /* bool: 0, 1, false, true */ \
	CONFIG_KEY(type, member, name, fallback, CONFIG_KIND_BOOL, NULL, about)

/* Strings are copied into the arena. -1: err->fields holds a sentence for each bad value, also of earlier calls. */
int config_load(const struct config_key *keys, size_t count, void *settings, struct arena *a,
                struct error *err) CHECKED;
/* What the kinds do not say: one more sentence, about that key. Returns -1. */
int config_refuse(struct error *err, struct arena *a, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The level of that name: ONE_OF CONFIG_LEVELS. */
#define CONFIG_LEVELS "debug|info|warn|error"
enum log_level config_level(const char *word);

/* "abstract://name": a socket of this machine, in Linux's abstract namespace, so that it leaves no file. Letters, digits, "-",
 * "_" and "."; at most 90 of them. */
bool config_is_local(const char *address);

/* To the operator: plain words on a terminal, log lines elsewhere. */
void config_tell(const char *program, const struct error *err);
/* Warns of each variable that begins like a setting of Parley's and is none, with the name it is nearest to. */
void config_warn_unknown(void);
/* That name, if the variable `given` looks like a slip of it; NULL: it does not. */
const char *config_nearest(const char *given);

/* "DOCUMENTS_JOBS" of "documents" and "JOBS", in the arena. */
const char *config_prefixed(struct arena *a, const char *program, const char *name);
void config_print(const struct config_key *keys, size_t count); /* to stdout, aligned, with defaults */

#endif

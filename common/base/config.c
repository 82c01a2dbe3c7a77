#include "common/base/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_FILE_MAX = 16384, LOCAL_NAME_MAX = 90 };
static const char space[] = " \t\r\n";

int config_refuse(struct error *err, struct arena *a, const char *name, const char *format, ...)
{
	struct field_error *bad = arena_new(a, struct field_error, 1), **end = &err->fields;
	va_list args;

	va_start(args, format);
	*bad =
	    (struct field_error){ "environment", name, arena_vprintf(a, format, args), "value_error", NULL };
	va_end(args);
	while (*end)
		end = &(*end)->next;
	*end = bad;
	return error_set(err, ERROR_INVALID, "%s", bad->msg);
}

/* --- What a value must be ------------------------------------------------------------------------------------------- */

/* Is the text one of "a|b|c"? */
static bool is_among(const char *list, const char *text, size_t length)
{
	while (*list) {
		size_t one = strcspn(list, "|");

		if (one == length && !strncmp(list, text, length))
			return true;
		list += one + (list[one] == '|');
	}
	return false;
}

/* "a, b or c" */
static const char *words(const char *list, const char *suffix, struct arena *a)
{
	const char *said = "";

	while (*list) {
		size_t one = strcspn(list, "|");
		bool last = !list[one], first = !*said;

		said = arena_printf(a, "%s%s%.*s%s", said,
		                    first  ? ""
		                    : last ? " or "
		                           : ", ",
		                    (int)one, list, suffix);
		list += one + !last;
	}
	return said;
}

static bool is_url(const char *value, const char *schemes)
{
	const char *colon = strstr(value, "://");

	return colon && is_among(schemes, value, (size_t)(colon - value)) && colon[3] &&
	       !strchr("/?#:", colon[3]) && !strpbrk(value, " \t\"<>\\");
}

static bool is_email(const char *value)
{
	const char *at = strchr(value, '@');

	return at && at != value && at[1] && !strchr(at + 1, '@') && !strpbrk(value, " \t<>,;\"");
}

static bool is_listen(const char *value)
{
	const char *port = strrchr(value, ':');

	return port && port != value && port[1] && strlen(port + 1) <= 5 &&
	       strspn(port + 1, "0123456789") == strlen(port + 1) && strtol(port + 1, NULL, 10) <= 65535;
}

bool config_is_local(const char *address)
{
	static const char scheme[] = "abstract://",
	                  plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const char *name = address + sizeof scheme - 1;

	return !strncmp(address, scheme, sizeof scheme - 1) && *name && strlen(name) <= LOCAL_NAME_MAX &&
	       strspn(name, plain) == strlen(name);
}

static bool is_endpoint(const char *value)
{
	return config_is_local(value) || (!strncmp(value, "tcp://", 6) && is_listen(value + 6));
}

/* What is wrong with a text; NULL: nothing. */
static const char *objection(const struct config_key *key, const char *value, struct arena *a)
{
	switch (key->kind) {
	case CONFIG_KIND_ONE_OF:
		return is_among(key->among, value, strlen(value))
		           ? NULL
		           : arena_printf(a, "must be %s", words(key->among, "", a));
	case CONFIG_KIND_URL:
		return is_url(value, key->among) ? NULL
		                                 : arena_printf(a, "must be a URL that begins with %s",
		                                                words(key->among, "://", a));
	case CONFIG_KIND_EMAIL: return is_email(value) ? NULL : "must be an e-mail address";
	case CONFIG_KIND_LISTEN:
		return is_listen(value)
		           ? NULL
		           : "must be an address and a port from 0 to 65535, like 127.0.0.1:8000";
	case CONFIG_KIND_ENDPOINT:
		return is_endpoint(value) ? NULL
		                          : "must be an address like tcp://0.0.0.0:8001 or abstract://name";
	case CONFIG_KIND_PATH: return access(value, R_OK) == 0 ? NULL : "must be a file that can be read";
	case CONFIG_KIND_TEXT:
	case CONFIG_KIND_SECRET:
	case CONFIG_KIND_INT:
	case CONFIG_KIND_BOOL: break;
	}
	return NULL;
}

static int read_int(const struct config_key *key, const char *value, int64_t *ret, struct arena *a,
                    struct error *err)
{
	char *end;

	errno = 0;
	*ret = strtoll(value, &end, 10);
	if (errno || *end || end == value || *ret < 0 || *value == '+')
		return config_refuse(err, a, key->name, "%s must be a whole number, not \"%.40s\"", key->name,
		                     value);
	if (key->most && (*ret < key->least || *ret > key->most))
		return config_refuse(err, a, key->name, "%s must be %lld to %lld, not %lld", key->name,
		                     (long long)key->least, (long long)key->most, (long long)*ret);
	return 0;
}

static int read_bool(const struct config_key *key, const char *value, bool *ret, struct arena *a,
                     struct error *err)
{
	*ret = is_among("1|true|yes", value, strlen(value));
	if (*ret || is_among("0|false|no", value, strlen(value)))
		return 0;
	return config_refuse(err, a, key->name, "%s must be true or false, not \"%.40s\"", key->name, value);
}

/* --- Where a value comes from --------------------------------------------------------------------------------------- */

/* Without the white space round it; NULL when nothing is left. (Compose hands on unset variables as empty ones.) */
static const char *trimmed(const char *value, struct arena *a)
{
	size_t length;

	if (!value)
		return NULL;
	value += strspn(value, space);
	for (length = strlen(value); length && strchr(space, value[length - 1]);)
		length--;
	return length ? arena_strndup(a, value, length) : NULL;
}

/* Addresses are gone on with a slash of ours. */
static const char *without_slash(const char *url, struct arena *a)
{
	size_t length = strlen(url);

	while (length && url[length - 1] == '/')
		length--;
	return arena_strndup(a, url, length);
}

static int read_secret_file(const char *name, const char *path, const char **ret, struct arena *a,
                            struct error *err)
{
	char text[SECRET_FILE_MAX];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
	int cause = errno;

	if (file >= 0)
		close(file);
	if (length < 0)
		return config_refuse(err, a, name, "%s: %s cannot be read: %s", name, path, strerror(cause));
	text[length] = '\0';
	*ret = trimmed(text, a);
	explicit_bzero(text, sizeof text);
	return *ret ? 0 : config_refuse(err, a, name, "%s: %s is empty", name, path);
}

/* The value that is given, NULL when there is none. */
static int find(const struct config_key *key, const char **ret, struct arena *a, struct error *err)
{
	const char *file_name, *file;

	*ret = trimmed(getenv(key->name), a);
	if (key->kind != CONFIG_KIND_SECRET)
		return 0;
	file_name = arena_printf(a, "%s_FILE", key->name);
	file = trimmed(getenv(file_name), a);
	if (file && *ret)
		return config_refuse(err, a, key->name, "%s and %s are both set: one is enough", key->name,
		                     file_name);
	return file ? read_secret_file(file_name, file, ret, a, err) : 0;
}

static int load_one(const struct config_key *key, void *settings, struct arena *a, struct error *err)
{
	char *member = (char *)settings + key->offset;
	const char *value, *wrong;

	if (find(key, &value, a, err) < 0)
		return -1;
	if (!value)
		value = key->fallback;
	if (!value)
		return config_refuse(err, a, key->name, "%s must be set: %s", key->name, key->about);
	if (key->kind == CONFIG_KIND_INT)
		return read_int(key, value, (int64_t *)(void *)member, a, err);
	if (key->kind == CONFIG_KIND_BOOL)
		return read_bool(key, value, (bool *)member, a, err);
	*(const char **)(void *)member =
	    key->kind == CONFIG_KIND_URL ? without_slash(value, a) : arena_strdup(a, value);
	wrong = *value ? objection(key, value, a) : NULL;
	return wrong ? config_refuse(err, a, key->name, "%s %s, not \"%.80s\"", key->name, wrong, value) : 0;
}

int config_load(const struct config_key *keys, size_t count, void *settings, struct arena *a,
                struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		rc |= load_one(&keys[i], settings, a, err);
	return rc;
}

enum log_level config_level(const char *word)
{
	const char *levels = CONFIG_LEVELS;
	int level = 0;

	for (size_t one; (one = strcspn(levels, "|")) != strlen(word) || strncmp(levels, word, one) != 0;
	     level++)
		levels += one + 1;
	return (enum log_level)level;
}

/* --- What the operator sees ----------------------------------------------------------------------------------------- */

static void tell(const char *program, const char *sentence, const char *detail)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s: %s%s%s\n", program, sentence, *detail ? ": " : "", detail);
	else
		log_line(LOG_ERROR, sentence, LOG_TEXT("detail", detail));
}

void config_tell(const char *program, const struct error *err)
{
	/* callers are told that the log knows more: this is the log */
	bool ours = err->code == ERROR_INTERNAL && *err->detail;

	if (!err->fields)
		tell(program, ours ? err->detail : err->message, ours ? "" : err->detail);
	for (const struct field_error *f = err->fields; f; f = f->next)
		tell(program, f->msg, "");
}

const char *config_prefixed(struct arena *a, const char *program, const char *name)
{
	char *prefixed = arena_printf(a, "%s_%s", program, name);

	for (char *c = prefixed; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return prefixed;
}

void config_print(const struct config_key *keys, size_t count)
{
	size_t name = 0, fallback = 0;

	for (size_t i = 0; i < count; i++) {
		const char *shown = keys[i].fallback ? keys[i].fallback : "(required)";

		name = strlen(keys[i].name) > name ? strlen(keys[i].name) : name;
		fallback = strlen(shown) > fallback && strlen(shown) <= 32 ? strlen(shown) : fallback;
	}
	for (size_t i = 0; i < count; i++) {
		const struct config_key *key = &keys[i];

		printf("  %-*s  %-*s  %s", (int)name, key->name, (int)fallback,
		       key->fallback ? key->fallback : "(required)", key->about);
		if (key->kind == CONFIG_KIND_SECRET)
			printf("; or in the file %s_FILE", key->name);
		putchar('\n');
	}
}

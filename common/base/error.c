#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>

void error_clear(struct error *err)
{
	*err = (struct error){ .code = ERROR_NONE };
}

static void set(struct error *err, enum error_code code, int retry_after, const char *format, va_list args)
{
	if (err->code != ERROR_NONE)
		return;
	err->code = code;
	err->retry_after = retry_after;
	vsnprintf(err->message, sizeof err->message, format, args);
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, code, 0, format, args);
	va_end(args);
	return -1;
}

int error_busy(struct error *err, int retry_after, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, ERROR_UNAVAILABLE, retry_after, format, args);
	va_end(args);
	return -1;
}

int error_too_many(struct error *err, int retry_after, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, ERROR_TOO_MANY, retry_after, format, args);
	va_end(args);
	return -1;
}

int error_internal(struct error *err, const char *format, ...)
{
	va_list args;

	if (err->code != ERROR_NONE)
		return -1;
	error_set(err, ERROR_INTERNAL, "something went wrong on our side; the log knows more");
	va_start(args, format);
	vsnprintf(err->detail, sizeof err->detail, format, args);
	va_end(args);
	return -1;
}

void error_detail(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->detail, sizeof err->detail, format, args);
	va_end(args);
}

int error_field(struct error *err, struct arena *a, const char *where, const char *field, const char *type,
                const char *format, ...)
{
	struct field_error *bad = arena_new(a, struct field_error, 1);
	struct field_error **end = &err->fields;
	va_list args;

	va_start(args, format);
	bad->msg = arena_vprintf(a, format, args);
	va_end(args);
	bad->where = arena_strdup(a, where);
	bad->field = arena_strdup(a, field);
	bad->type = arena_strdup(a, type);
	while (*end)
		end = &(*end)->next;
	*end = bad;
	return error_set(err, ERROR_INVALID, "%s: %s", field, bad->msg);
}

const char *error_name(enum error_code code)
{
	static const char *const names[ERROR_CODES] = {
		[ERROR_NONE] = "ok",
		[ERROR_MALFORMED] = "malformed",
		[ERROR_UNAUTHENTICATED] = "unauthenticated",
		[ERROR_FORBIDDEN] = "forbidden",
		[ERROR_NOT_FOUND] = "not_found",
		[ERROR_CONFLICT] = "conflict",
		[ERROR_TOO_LARGE] = "too_large",
		[ERROR_UNSUPPORTED_TYPE] = "unsupported_type",
		[ERROR_INVALID] = "invalid",
		[ERROR_TOO_MANY] = "too_many",
		[ERROR_INTERNAL] = "internal",
		[ERROR_UPSTREAM] = "upstream",
		[ERROR_UNAVAILABLE] = "unavailable",
		[ERROR_UNKNOWN_OUTCOME] = "unknown_outcome",
		[ERROR_METHOD] = "method_not_allowed",
	};

	return (unsigned)code < ERROR_CODES ? names[code] : "unknown";
}

#include "gateway/wire.h"

#include <civetweb.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS = 15 }; /* a petabyte is more than anybody sends, and no overflow */

static bool is_token(const char *text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(others, *p))
			return false;
	return *text;
}

/*
 * civetweb cuts the header block into strings in place, so what stood between two of them can still be told: a line
 * ends with CR (a NUL now) and LF, and there the next name starts; after the last line comes the CR of the empty one.
 * Anything else is a bare LF, or a line that was left out: folded, of an odd name, or one too many.
 */
static bool cut_cleanly(const struct mg_request_info *info)
{
	const char *end = info->http_version + strlen(info->http_version); /* of the line before */

	for (int i = 0; i < info->num_headers; i++) {
		const struct mg_header *h = &info->http_headers[i];
		const char *after_name = h->name + strlen(h->name) + 1;

		if (h->name != end + 2 ||
		    (h->value > after_name && *after_name == '\0')) /* space before ':' */
			return false;
		end = h->value + strlen(h->value);
	}
	return !info->num_headers || end[2] == '\r';
}

/* How often a header is there; *ret is its first value. */
static int count(const struct mg_request_info *info, const char *name, const char **ret)
{
	int n = 0;

	for (int i = 0; i < info->num_headers; i++)
		if (!strcasecmp(info->http_headers[i].name, name) && n++ == 0)
			*ret = info->http_headers[i].value;
	return n;
}

static int check_length(const struct mg_request_info *info, struct wire *ret, struct error *err)
{
	const char *length = NULL, *coding = NULL;
	int lengths = count(info, "Content-Length", &length);
	int codings = count(info, "Transfer-Encoding", &coding);

	if (lengths + codings > 1)
		return error_set(err, ERROR_MALFORMED, "the length of the body is given more than once");
	if (codings) {
		if (strcasecmp(coding, "chunked") || strcmp(info->http_version, "1.1"))
			return error_set(err, ERROR_MALFORMED, "Transfer-Encoding can only be chunked");
		ret->length = -1;
	}
	if (lengths) {
		size_t digits = strspn(length, "0123456789");

		if (!digits || length[digits] || digits > LENGTH_DIGITS)
			return error_set(err, ERROR_MALFORMED, "Content-Length is not a number");
		ret->length = strtoll(length, NULL, 10);
	}
	return 0;
}

/* A name, an address, a port: whatever else stands there, two who read it may take two things out of it. */
static int check_host(const struct mg_request_info *info, struct error *err)
{
	const char *host = "";

	(void)count(info, "Host", &host);
	for (const char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-._~:[]%!$&'()*+,;=", *p))
			return error_set(err, ERROR_MALFORMED, "the Host line names no host");
	return 0;
}

/* Is word one of a comma-separated list? */
static bool lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	while (list && *list) {
		list += strspn(list, ", \t");
		if (!strncasecmp(list, word, length) && strchr(", \t", list[length]))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

int wire_check(const struct mg_request_info *info, struct wire *ret, struct error *err)
{
	static const char *const single[] = { "Host", "Authorization", "Content-Type", "Expect", "Origin" };
	const char *value = NULL;
	bool newer = !strcmp(info->http_version, "1.1");

	*ret = (struct wire){ 0 };
	if (!cut_cleanly(info))
		return error_set(err, ERROR_MALFORMED, "the header is malformed, or has more than %d lines",
		                 MG_MAX_HEADERS);
	for (int i = 0; i < info->num_headers; i++)
		if (!is_token(info->http_headers[i].name))
			return error_set(err, ERROR_MALFORMED, "the name of a header line is malformed");
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		if (count(info, single[i], &value) > 1)
			return error_set(err, ERROR_MALFORMED, "%s is given more than once", single[i]);
	if (newer && !count(info, "Host", &value))
		return error_set(err, ERROR_MALFORMED, "the Host line is missing");
	if (check_host(info, err) < 0 || check_length(info, ret, err) < 0)
		return -1;

	value = NULL;
	if (count(info, "Expect", &value) && strcasecmp(value, "100-continue"))
		return error_set(err, ERROR_MALFORMED, "only 100-continue can be expected");
	ret->wants_100 = value && newer && ret->length;
	value = NULL;
	count(info, "Connection", &value);
	ret->keep_alive = newer && !lists(value, "close");
	return 0;
}

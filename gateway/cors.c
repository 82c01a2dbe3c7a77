#include "gateway/cors.h"

#include <string.h>

struct cors {
	struct pattern {
		const char *text; /* without the ":*" */
		size_t length;
		const char *
		    below; /* what follows a "*" as the first label of the host: ".example.com"; NULL: there is none */
		bool any_port;
	} * patterns;
	int count;
};

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* "localhost" as a list: every page of this machine, however its address is written. */
static const char localhost[] =
    "http://localhost:* http://127.0.0.1:* http://[::1]:* http://*.localhost:* "
    "https://localhost:* https://127.0.0.1:* https://[::1]:* https://*.localhost:*";

/* An origin is scheme://host[:port] and nothing more (RFC 6454). */
static bool plausible(const char *origin)
{
	const char *host = strstr(origin, "://");

	return (!strncmp(origin, "http://", 7) || !strncmp(origin, "https://", 8)) && host[3] &&
	       !strpbrk(host + 3, "/?#@ ");
}

/* What stands between the scheme and that must be the name of a host: "app". */
static bool is_below(const struct pattern *p, const char *origin, size_t length)
{
	size_t scheme = (size_t)(strstr(p->text, "://") - p->text) + 3, tail = strlen(p->below);

	return length > scheme + tail && !strncmp(origin, p->text, scheme) &&
	       !strncmp(origin + length - tail, p->below, tail) &&
	       strspn(origin + scheme, "abcdefghijklmnopqrstuvwxyz0123456789-.") >= length - scheme - tail;
}

static bool is_host(const struct pattern *p, const char *origin, size_t length)
{
	if (p->below)
		return is_below(p, origin, length);
	return length == p->length && !strncmp(origin, p->text, length);
}

int cors_parse(const char *list, struct arena *a, struct cors **ret, struct error *err)
{
	static const char separators[] = ", \t";
	struct cors *c = arena_new(a, struct cors, 1);

	if (!strcmp(list, "localhost"))
		list = localhost;
	c->patterns = arena_new(a, struct pattern, strlen(list) / 2 + 1);
	while (*(list += strspn(list, separators))) {
		struct pattern *p = &c->patterns[c->count++];
		size_t length = strcspn(list, separators);
		char *text = arena_strndup(a, list, length);

		list += length;
		if (text[length - 1] == '/')
			text[--length] = '\0'; /* a likely slip */
		if (!plausible(text))
			return error_set(err, ERROR_INVALID,
			                 "%s is not an origin like https://app.example.com", text);
		if (length > 2 && !strcmp(text + length - 2, ":*")) {
			text[length -= 2] = '\0';
			p->any_port = true;
		}
		p->text = text;
		p->length = length;
		p->below = strstr(text, "://*.");
		p->below = p->below ? p->below + 4 : NULL;
	}
	*ret = c;
	return 0;
}

bool cors_listed(const struct cors *c, const char *origin)
{
	for (int i = 0; i < c->count; i++) {
		const struct pattern *p = &c->patterns[i];

		const char *host = strstr(origin, "://"), *port = host ? strrchr(host + 3, ':') : NULL;
		size_t length = strlen(origin);

		/* any port is the default one, too, which origins leave out */
		if (p->any_port && port && all_digits(port + 1) && !strchr(port, ']'))
			length = (size_t)(port - origin);
		if (is_host(p, origin, length))
			return true;
	}
	return false;
}

static bool allow_origin(const struct cors *c, const char *origin, bool any, struct text *out)
{
	text_adds(out, "Vary: Origin\r\n");
	if (!origin)
		return false;
	if (cors_listed(c, origin))
		text_adds(out, "Access-Control-Allow-Credentials: true\r\n");
	else if (!any)
		return false;
	text_addf(out, "Access-Control-Allow-Origin: %s\r\n", origin);
	return true;
}

void cors_headers(const struct cors *c, const char *origin, bool any, struct text *out)
{
	if (allow_origin(c, origin, any, out))
		text_adds(out, "Access-Control-Expose-Headers: Link, X-Request-Id, Retry-After, "
		               "Content-Disposition, WWW-Authenticate\r\n");
}

/* Names of header lines with commas between them, and nothing that could end ours. */
static bool are_names(const char *headers)
{
	return headers &&
	       strspn(headers, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ") ==
	           strlen(headers);
}

void cors_preflight_headers(const struct cors *c, const char *origin, bool any, const char *allow,
                            const char *headers, struct text *out)
{
	text_adds(out, "Vary: Access-Control-Request-Headers\r\n");
	if (!allow_origin(c, origin, any, out))
		return;
	text_addf(out, "Access-Control-Allow-Methods: %s\r\n", allow);
	if (are_names(headers))
		text_addf(out, "Access-Control-Allow-Headers: %s\r\n", headers);
	text_adds(out, "Access-Control-Max-Age: 600\r\n");
}

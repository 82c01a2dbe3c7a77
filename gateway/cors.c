#include "gateway/cors.h"

#include <string.h>

struct cors {
	struct pattern {
		const char *text; /* without the "*" */
		size_t length;
		bool any_port;
	} * patterns;
	int count;
};

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* An origin is scheme://host[:port] and nothing more (RFC 6454). */
static bool plausible(const char *origin)
{
	const char *host = strstr(origin, "://");

	return (!strncmp(origin, "http://", 7) || !strncmp(origin, "https://", 8)) && host[3] &&
	       !strpbrk(host + 3, "/?#@ ");
}

int cors_parse(const char *list, struct arena *a, struct cors **ret, struct error *err)
{
	static const char separators[] = ", \t";
	struct cors *c = arena_new(a, struct cors, 1);

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
			text[--length] = '\0';
			p->any_port = true;
		}
		p->text = text;
		p->length = length;
	}
	*ret = c;
	return 0;
}

bool cors_listed(const struct cors *c, const char *origin)
{
	for (int i = 0; i < c->count; i++) {
		const struct pattern *p = &c->patterns[i];

		if (!p->any_port && !strcmp(origin, p->text))
			return true;
		/* "http://localhost:" also stands for the default port, which origins leave out */
		if (p->any_port && !strncmp(origin, p->text, p->length) && all_digits(origin + p->length))
			return true;
		if (p->any_port && strlen(origin) == p->length - 1 &&
		    !strncmp(origin, p->text, p->length - 1))
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
		text_adds(out, "Access-Control-Expose-Headers: Link, X-Request-Id, Retry-After\r\n");
}

void cors_preflight_headers(const struct cors *c, const char *origin, bool any, const char *allow,
                            struct text *out)
{
	if (!allow_origin(c, origin, any, out))
		return;
	text_addf(out, "Access-Control-Allow-Methods: %s\r\n", allow);
	text_adds(out,
	          "Access-Control-Allow-Headers: Authorization, Content-Type, X-API-Key, Idempotency-Key, "
	          "Last-Event-ID, X-Request-Id, X-Requested-With, Cache-Control, traceparent\r\n"
	          "Access-Control-Max-Age: 600\r\n");
}

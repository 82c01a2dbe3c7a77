/*
 * web: a request of a browser or a program as it came (raw routes), and the page, redirection or JSON that answers it.
 *
 * Parameters are those of the query, or of a form's body (application/x-www-form-urlencoded). One that stands twice makes
 * the whole request wrong (OAuth 2.1): web_doubled() names it. Pages need no script, may not be framed, and send their
 * forms only to us (and to `form_to`, where a redirection after one leads: browsers look at that, too).
 */
#ifndef PARLEY_AUTH_WEB_H
#define PARLEY_AUTH_WEB_H

#include "common/base/text.h"
#include "common/service/call.h"

struct web_parameter {
	const char *name, *value;
};
enum { WEB_PARAMETERS = 40 };
struct web {
	struct call *call;
	const Rpc__RawRequest *in;
	Rpc__RawReply *out;
	struct web_parameter parameters[WEB_PARAMETERS];
	int count;
	const char *doubled;
	bool secure; /* PUBLIC_URL is https */
};

/* form: the parameters are those of the body, else of the query. */
void web_open(struct web *w, struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out, bool form);
/* In the request's memory; NULL when it is not there, or empty, which is the same. */
const char *web_get(const struct web *w, const char *name);
const char *web_doubled(const struct web *w); /* NULL: none */
const char *web_cookie(const struct web *w, const char *name);
/* The n-th segment of the path, from 0. */
const char *web_segment(const struct web *w, int n);
/* The browser says that another site sent this. (An old browser says nothing.) */
bool web_from_elsewhere(const struct web *w);

/* A cookie that no script reads and no other site's form brings along; seconds 0: it goes. */
void web_set_cookie(struct web *w, const char *name, const char *value, const char *path, int seconds);
/* Each answers, and returns 0. */
int web_page(struct web *w, int status, const char *html, const char *form_to);
/* One that runs scripts of ours, from files. */
int web_scripted_page(struct web *w, const char *html);
int web_redirect(struct web *w, const char *url);
int web_json(struct web *w, int status, const char *json);
/* {"error": ..., "error_description": ...} as OAuth has it (RFC 6749, 5.2). Ours: of plain characters. */
int web_refuse(struct web *w, int status, const char *error, const char *why);

/* Append name=value to a query or a form. */
void web_add(struct text *url, const char *name, const char *value);

#endif

/*
 * internal: what the files of oauth share.
 *
 *	challenge.c  WWW-Authenticate
 *	http.c       one request, and what may be read of the answer
 *	discover.c   metadata of resources and of authorization servers
 *	client.c     who we are to them
 *	authorize.c  the browser's way
 *	token.c      codes and tokens
 */
#ifndef PARLEY_OAUTH_INTERNAL_H
#define PARLEY_OAUTH_INTERNAL_H

#include "common/json/json.h"
#include "common/oauth/oauth.h"

enum {
	OAUTH_BYTES = 256 * 1024,     /* of one answer */
	OAUTH_URL_BYTES = 2000,       /* of one address */
	OAUTH_WORD_BYTES = 4000,      /* of a scope, a client id */
	OAUTH_TOKEN_BYTES = 32 * 1024 /* of a token, which goes into a header */
};

/* --- http.c --- */

/* GET a document: 1 with *ret the caller's, 0 when there is none (any answer but a JSON object), -1. */
int oauth_get(const struct oauth *o, const char *url, json_object **ret, struct error *err) CHECKED;
/* POST, once. *ret: the JSON object that came, the caller's, or NULL; *status. */
int oauth_post(const struct oauth *o, const char *url, const char *const *headers, const char *body,
               int *status, json_object **ret, struct error *err) CHECKED;

/* http or https, a host, no name, password or fragment, visible characters. */
bool oauth_is_url(const char *url);
/* "https" may not lead to "http". */
bool oauth_is_no_weaker(const char *url, const char *from);
/* Text of at most `most` visible characters, or NULL. */
const char *oauth_word(json_object *object, const char *key, size_t most, struct arena *a);
/* Scopes as the grammar has them (RFC 6749, 3.3), or NULL. */
const char *oauth_scope(const char *text, struct arena *a);
/* A list of words as one text with blanks between; NULL when it is none. */
const char *oauth_words(json_object *object, const char *key, struct arena *a);
bool oauth_has_word(const char *words, const char *word);

/* name=value of a form or a query; value NULL adds nothing. */
void oauth_form_add(struct text *form, const char *name, const char *value);

/* "the server says: ..." with the words of an error answer; always -1. */
int oauth_refused(enum error_code code, const char *what, int status, json_object *answer, struct error *err);

/* --- discover.c --- */

/* What a resource's document says of the resource at `url`: 1 or -1. */
int oauth_read_resource(json_object *document, const char *url, struct oauth_resource *ret, struct arena *a,
                        struct error *err) CHECKED;

#endif

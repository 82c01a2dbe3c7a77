/*
 * answer: the answer to a request: one buffer, one mg_write().
 *
 * Every answer carries X-Request-Id, the lines in req->headers (CORS) and the headers that keep browsers from guessing.
 * answer_error() holds the one table that maps codes to HTTP, with WWW-Authenticate for a 401, Retry-After for a 429 and
 * a 503; error_form.h says what its body looks like.
 */
#ifndef PARLEY_ANSWER_H
#define PARLEY_ANSWER_H

#include "gateway/request.h"

struct answer {
	int status;
	const char *type; /* Content-Type; NULL: no body at all */
	const char *body;
	size_t size;
	const char *cache; /* Cache-Control; NULL: "no-store" */
};

/* Add a header line to the answer that is to come. The value must be ours, or checked: it goes out as it is. */
void answer_header(struct request *req, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void answer_send(struct request *req, const struct answer *a);
void answer_json(struct request *req, int status, const char *body, size_t size);

/* What req->err says. extra: a JSON object whose members join the answer's, or NULL; a 401 that has some says itself
 * how to sign in, and carries no WWW-Authenticate. */
void answer_error(struct request *req, const char *extra);
/* The body of that error, in the form of req's route: for what is told in the middle of an answer. */
void answer_error_body(const struct request *req, const struct error *err, const char *extra,
                       struct text *out);

/* An answer without length, that goes on until the connection closes: the head, then pieces. -1: the client is gone. */
int answer_stream_begin(struct request *req, const char *type) CHECKED;
/* The same for so many bytes (-1: nobody knows); chunked: the caller frames its pieces. The connection may live on. */
int answer_file_begin(struct request *req, int status, const char *type, int64_t size, bool chunked) CHECKED;
int answer_stream_write(struct request *req, const char *bytes, size_t size) CHECKED;

#endif

/*
 * complaint: what a provider says when it does not answer, in whatever form, and what that means.
 *
 * Its words are about the request, and may repeat it, or about our key, and may hold it. So they are cut to a line, what
 * looks like a key or an address is blotted out, and words about a key are not told at all.
 */
#ifndef PARLEY_CHAT_COMPLAINT_H
#define PARLEY_CHAT_COMPLAINT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

struct complaint {
	const char *words; /* one line, as they came; "" when there are none */
	const char *code;  /* "context_length_exceeded messages": its code, and what it is about */
	int status;        /* as an HTTP status: of the answer, or as the words have it; 0: none */
	int64_t pause_ms;  /* that it asks for: "try again in 2.5s" (see pause.h); 0: it does not */
};

enum complaint_kind {
	COMPLAINT_REQUEST,  /* something about the request */
	COMPLAINT_KEY,      /* not accepted */
	COMPLAINT_PAYMENT,  /* the balance or quota is used up */
	COMPLAINT_ADDRESS,  /* nothing is there: a wrong URL, a model that there is not */
	COMPLAINT_REDIRECT, /* it is elsewhere */
	COMPLAINT_BUSY,     /* rate limits: later */
	COMPLAINT_FAILED,   /* it broke: later */
	COMPLAINT_CONTEXT,  /* too long for the model */
	COMPLAINT_FILTER,   /* withheld */
	COMPLAINT_KINDS
};

/* An error in a JSON answer or event: false when it holds none. */
bool complaint_of(json_object *object, struct complaint *ret, struct arena *a);
/* What an object says that is neither an answer nor an error: {"code": 500, "msg": "..."}. Where nothing else comes it is
 * why. */
bool complaint_remark(json_object *object, struct complaint *ret, struct arena *a);
/* The body of an HTTP error, JSON or not; status 0: as the body has it. */
void complaint_read(int status, const char *body, size_t size, struct complaint *ret, struct arena *a);

enum complaint_kind complaint_kind(const struct complaint *c);

/* The words for the owner of a chatbot; "" when they should not be told. key: ours, which they never hold. */
const char *complaint_words(const struct complaint *c, const char *key, struct arena *a);

bool complaint_mentions(const struct complaint *c, const char *word); /* in any case */

#endif

/*
 * hearing: one answer of an OpenAI-compatible endpoint as its bytes come: events or one whole object, in any pieces.
 *
 * What is text and what is reasoning goes to the sink, once for the bytes of one call. What cannot be read is passed
 * over and counted. It knows nothing of HTTP but the status, and judges nothing: when the bytes end, it tells what came.
 */
#ifndef PARLEY_CHAT_HEARING_H
#define PARLEY_CHAT_HEARING_H

#include "common/egress/sse_reader.h"
#include "svc-chat/model/completion.h"
#include "svc-chat/model/model.h"
#include "svc-chat/model/news.h"
#include "svc-chat/model/pattern.h"
#include "svc-chat/model/prompted.h"
#include "svc-chat/model/think.h"

struct hearing {
	/* What came of it. */
	bool given;          /* something went to the sink */
	bool answered;       /* text did */
	bool thought;        /* reasoning did */
	bool finished, done; /* a finish_reason; the end of the stream */
	bool ended;          /* by the sink */
	bool failed;         /* an error in the answer: complaint */
	bool remarked;       /* words that are no answer: complaint, where nothing else came */
	bool thought_first;  /* only a closing tag told that it had begun with thought */
	bool too_large;
	struct complaint complaint;
	const char *finish; /* in the arena; NULL */
	struct calls calls; /* of tools */
	int read, unread;   /* events that were, and were not, understood */
	struct text body;   /* of an error, or of a whole answer */

	/* Its own. */
	int status;
	bool hold; /* until it is known where thought ends */
	bool decided, whole;
	const struct model_sink *sink;
	struct model_result *result;
	struct arena *arena, scratch;
	struct sse_reader reader;
	struct pattern pattern;
	struct news texts, reasonings;
	struct think think;
	struct text answer, thoughts; /* not given out yet */
	struct text worded;           /* thought that may be the answer: think_words() */
	bool offers;                  /* tools: calls may stand in the text */
	struct prompted prompted;
	struct text clean; /* the answer without them */
};

/* thinks_first: this model is known to begin with thought, without saying so. Strings go to the arena. */
void hearing_init(struct hearing *h, const struct model_sink *sink, struct model_result *result,
                  bool thinks_first, struct arena *a);
/* The request offers tools, and its calls may come as text; by_words: they must (see prompted.h). */
void hearing_offer(struct hearing *h, const struct model_request *request, bool by_words);
void hearing_done(struct hearing *h);

/* Non-zero: no more is wanted. */
int hearing_feed(struct hearing *h, int status, const char *bytes, size_t size);
/* The bytes have ended. */
void hearing_end(struct hearing *h);
bool hearing_is_page(const struct hearing *h); /* what came is a web page */

#endif

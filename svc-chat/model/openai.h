/* openai: what the files of the model that asks OpenAI-compatible endpoints share. Nobody else includes it. */
#ifndef PARLEY_CHAT_OPENAI_H
#define PARLEY_CHAT_OPENAI_H

#include <pthread.h>

#include "common/egress/egress.h"
#include "svc-chat/model/endpoint.h"
#include "svc-chat/model/hearing.h"

enum { ENDPOINTS_MAX = 8 };

/* The models that an endpoint lists. */
struct model_list {
	pthread_mutex_t lock; /* guards what follows; never held over a request */
	struct arena arena;
	char **names;
	size_t count;
	int64_t until; /* fresh until then; 0: never asked */
	bool asking;
};

struct openai {
	struct model base;
	struct model_openai_config config;
	struct arena arena; /* of the strings below */
	struct endpoint endpoints[ENDPOINTS_MAX];
	struct model_list lists[ENDPOINTS_MAX];
	struct breaker {
		_Atomic int failures;       /* in a row */
		_Atomic int64_t open_until; /* monotonic ms: others are asked first until then */
	} breakers[ENDPOINTS_MAX];
	size_t endpoint_count;
	struct quirks_cache *quirks;
};

/* The provider's go_on(). */
int asking_go_on(struct model_answering *x);

void list_init(struct model_list *list);
void list_done(struct model_list *list);
/* The endpoint is asked which models it has, when somebody wants another than the operator's and what is known is old: the
 * answer, which is heard when wake(arg) was called; else NULL. */
struct egress_stream *list_ask(struct model_list *list, struct egress *egress, const struct endpoint *e,
                               const char *wanted, void (*wake)(void *arg), void *arg);
/* True when it is to be heard again later; false: it is known (or could not be had), and the answer is closed. */
bool list_hear(struct model_list *list, struct egress_stream *answer, const struct endpoint *e,
               const atomic_bool *cancelled);
/* The model that was asked for where the endpoint has it, as far as is known, else the operator's. */
const char *list_choose(struct model_list *list, const struct endpoint *e, const char *wanted);

/* One request and what came of it. */
struct attempt {
	struct hearing hearing;
	int status;  /* of the answer; 0: none came */
	int fetched; /* what egress returned, and why */
	struct error why;
	int64_t pause; /* that the endpoint asks for, in milliseconds; -1: it does not */

	/* Its own. */
	struct egress_stream *stream;
};

/* The hearing was begun. wake(arg): as egress has it. */
void attempt_begin(struct attempt *x, struct egress *egress, const struct egress_request *request,
                   void (*wake)(void *arg), void *arg);
/* Hears what has come: true when there is more to come. */
bool attempt_hear(struct attempt *x, const atomic_bool *cancelled);

/* What to make of an attempt. */
enum verdict {
	VERDICT_DONE,
	VERDICT_AGAIN,     /* it may well go better, after a pause */
	VERDICT_LEARNED,   /* the request will be another */
	VERDICT_SHORTER,   /* the prompt must be */
	VERDICT_ELSEWHERE, /* not here, but another endpoint may */
	VERDICT_FAILED,
};

/* The result's finish, or a sentence in err: what a visitor may read, or the owner. */
enum verdict verdict_of(const struct attempt *x, const struct model_request *request,
                        const struct endpoint *e, struct complaint *complaint, struct model_result *result,
                        struct arena *a, struct error *err);
/* How long the endpoint wants to be left alone, in milliseconds; -1: it does not say. now: Unix seconds. */
int64_t verdict_pause(const struct egress_response *response, int64_t now);

#endif

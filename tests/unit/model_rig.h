/*
 * model_rig: a model for tests that says, byte for byte, what it is told to, and somebody who asks it.
 */
#ifndef PARLEY_MODEL_RIG_H
#define PARLEY_MODEL_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/text.h"
#include "common/egress/egress.h"
#include "svc-chat/model/model.h"

enum { ANSWERS = 8, REQUEST_MAX = 16384 };

struct canned {
	const char *bytes;
	size_t size; /* 0: a string */
	enum {
		END_CLOSE,
		END_HANG,
		END_RESET
	} end;                     /* hang: keeps the connection open, silent, until the other side goes */
	int times;                 /* the bytes are sent so often; 0: once */
	int split;                 /* in pieces of that size */
	const char *when, *unless; /* an answer to requests that have this, and have not that; may be NULL */
};

/* The n-th request gets the n-th answer of those that fit it; the last one repeats. One connection at a time. */
struct model_rig {
	int listener, port;
	pthread_t thread;
	const struct canned *answers; /* ended by one without bytes */
	const char *models; /* the body of GET /models; NULL: {"data": [{"id": "big"}, {"id": "small"}, 7]} */
	bool keep_alive;    /* answers say how long they are, and connections stay */
	int asked, connections; /* POST requests taken; connections */
	char requests[ANSWERS][REQUEST_MAX];
	_Atomic bool over;
};
void model_rig_start(struct model_rig *m, const struct canned *answers);
void model_rig_stop(struct model_rig *m);

/* What came of asking. */
struct asked {
	struct text text, reasoning;
	int stop_after; /* so many pieces of text are enough */
	bool for_visitor;
	bool tools;        /* get_weather and search are offered */
	const char *model; /* NULL: "default" */
	const char *own_key, *own_url;
	bool (*shorten)(void *arg, const struct model_message **messages, size_t *count);
	void *shorten_arg;
	int taken_back;
	struct model_result result;
	struct error err;
	int64_t took_ms;
	atomic_bool cancelled;
};
/* A model at that base URL ("" : the rig's). Free both. */
struct model *model_rig_model(struct model_rig *m, struct egress **egress);
int model_rig_ask(struct model *p, struct asked *asked, struct arena *a);
/* All of it, for one question. */
int model_rig_ask_once(struct model_rig *m, struct asked *asked, struct arena *a);

#endif

/*
 * model: who writes the answers, behind one small interface.
 *
 * `builtin` needs no network and no key: it quotes the passages and says so. `openai` asks any OpenAI-compatible
 * endpoint. Both give their text in pieces as it comes, on the calling thread, and serve any number of threads at once.
 * An answer need hold no thread while it waits for the model: see struct model_answering.
 */
#ifndef PARLEY_CHAT_MODEL_H
#define PARLEY_CHAT_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

/* A passage of a document; its number in citations is its place in the list, from 1. */
struct passage {
	const char *document; /* its name */
	int page;             /* 0: unknown */
	const char *text;
	const char *heading; /* above it: "Part II / Warranty"; NULL: none */
};

/* A tool that a model may call. */
struct model_tool {
	const char *name, *description; /* of letters, digits, '_' and '-'; at most 64 long */
	const char *schema;             /* of its arguments: a JSON object */
};
/* A call that a model wants. */
struct model_call {
	const char *id, *name;
	const char *arguments; /* as the model wrote them: JSON, if all is well */
	const char *result;    /* of one in the history: what came back; else NULL */
};

struct model_message {
	const char *role; /* "system", "user", "assistant", "tool" */
	const char *content;
	/* Of an assistant that called tools, in the turn that is under way; in the history of one that then answered. */
	const char *reasoning; /* NULL: none */
	const struct model_call *calls;
	size_t call_count;
	/* Of a tool: which call this answers, and of which tool. */
	const char *call_id, *name;
	/* Of the history, where prompt_prepare() has been here: what a model is told of it, and the content's tokens. */
	const char *told;
	int64_t tokens;
};

struct model_request {
	const char *model; /* as the chatbot has it */
	double temperature;
	int max_tokens;
	int seconds; /* that it may take, and it is tried once; 0: as long as answers may take */
	const struct model_message *messages; /* the whole prompt: see prompt.h */
	size_t message_count;
	/* The same, taken apart: for what is no language model. */
	const char *question, *welcome;
	const struct passage *passages;
	size_t passage_count;
	bool has_documents;
	const struct model_tool *tools; /* that may be called; none for what is no language model */
	size_t tool_count;
	const atomic_bool *cancelled; /* ends the writing soon, with ERROR_UNAVAILABLE */
	bool for_visitor;             /* a stranger reads what is said of failures */
	const char *request_id;       /* for the log; may be NULL */
	/* The owner's own key, and where it holds; "" and NULL where there is none. */
	const char *own_key, *own_url;
	/* A shorter prompt, when the model found this one too long: less history first, then fewer passages. False: there is
	 * none. May be NULL. */
	bool (*shorten)(void *arg, const struct model_message **messages, size_t *count);
	void *shorten_arg;
	void *db; /* of what is learned (struct quirks_store); may be NULL */
};

/* Where the answer goes: whole characters, never empty. Non-zero ends the writing, which then is no failure. */
struct model_sink {
	int (*text)(void *arg, const char *bytes, size_t size);
	int (*reasoning)(void *arg, const char *bytes, size_t size);
	void *arg;
	void (*take_back)(void *arg); /* all text so far was reasoning, it turns out */
};

struct model_result {
	const char *model;  /* what really wrote */
	const char *finish; /* "stop", "length" (cut there), "filtered"; NULL when it did not come to that */
	bool has_usage;
	int64_t prompt_tokens, completion_tokens;
	const struct model_call *calls; /* instead of an answer, or behind its beginning */
	size_t call_count;
};

struct model;

/* An answer that is under way. All that it points to lives until it is over. */
struct model_answering {
	struct model *model;
	const struct model_request *request;
	const struct model_sink *sink;
	struct model_result *result;
	struct arena *arena;
	struct error *err;
	/* Says, from another thread, that there is something to go on with: quick, and nothing of this is to be called there. */
	void (*wake)(void *arg);
	void *arg;

	int64_t until; /* monotonic ms: when to go on though nobody was woken; 0: never */
	void *own;     /* the model's; NULL: it is about to begin */
};

struct model {
	const char *name;
	bool calls_tools;
	/* 0, or -1: ERROR_UPSTREAM, ERROR_UNAVAILABLE, ERROR_UNKNOWN_OUTCOME (time is up), with a sentence for the user.
	 * Pieces may have been given before a failure. *ret is good as far as it was learned, failed or not. */
	int (*answer)(struct model *p, const struct model_request *request, const struct model_sink *sink,
	              struct model_result *ret, struct arena *a, struct error *err);
	/* The same in steps, which wait for no model: 1: there is more to come; call it again when woken, at x->until, or when
	 * *request->cancelled has become true, which alone ends what is under way. NULL: its answers are there at once. */
	int (*go_on)(struct model_answering *x);
	void (*free)(struct model *p);
};

struct model *model_builtin(void);

struct egress;
struct quirks_store;

/* An endpoint that is asked, and where it comes from: "CHAT_BASE_URL". */
struct model_endpoint {
	const char *name, *base_url; /* "https://api.deepseek.com/v1" */
	const char *api_key;         /* "" when none is needed */
	const char *model;           /* for chatbots whose own model the endpoint does not list */
};
struct model_openai_config {
	struct egress *egress;
	const struct model_endpoint
	    *endpoints; /* asked in this order, but for those without a URL; ended by one without a name */
	const struct quirks_store *quirks; /* NULL: what is learned is kept in this process */
	int idle_seconds;                  /* without a byte from the model: it hangs */
	int total_seconds;                 /* of one answer */
};
/* 0, or -1 with ERROR_INVALID: a setting that cannot be, named. */
int model_openai(const struct model_openai_config *config, struct model **ret, struct error *err) CHECKED;

#endif

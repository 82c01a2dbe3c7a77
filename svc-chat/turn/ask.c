#include "svc-chat/turn/ask.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "documents.client.h"
#include "svc-chat/model/tokens.h"
#include "svc-chat/own_key.h"
#include "svc-chat/turn/rephrase.h"
#include "svc-chat/turn/retrieve.h"

enum {
	SHORT_QUESTION = 60, /* bytes */
	BEFORE_MAX = 1000,   /* of the question before it */
};

struct model *ask_whom(const struct ask *r)
{
	bool model = r->chat->openai && !r->builtin_only && strcmp(r->settings.model, "builtin") != 0;

	if (r->own_model && !r->builtin_only)
		return r->own_model;
	return model ? r->chat->openai : r->chat->builtin;
}

/* --- Passages ------------------------------------------------------------------------------------------------------- */

/* What to search for. A short question may lean on the one before it ("And in winter?"). */
static const char *query_of(const struct ask *r)
{
	const char *before = NULL;

	for (size_t i = 0; i < r->history_count && strlen(r->question) < SHORT_QUESTION; i++)
		if (strcmp(r->history[i].role, "user") == 0)
			before = r->history[i].content;
	if (!before)
		return r->question;
	return arena_printf(r->call->arena, "%s\n%.*s", r->question,
	                    (int)utf8_clip(before, strlen(before), BEFORE_MAX), before);
}

/* All questions that have curated answers. */
static char **known_questions(const struct ask *r, size_t *n)
{
	char **list;

	*n = 0;
	for (size_t i = 0; i < r->answer_count; i++)
		*n += r->answers[i]->n_questions;
	list = arena_new(r->call->arena, char *, *n);
	*n = 0;
	for (size_t i = 0; i < r->answer_count; i++)
		for (size_t k = 0; k < r->answers[i]->n_questions; k++)
			list[(*n)++] = r->answers[i]->questions[k];
	return list;
}

/* Whose is the question at that place? */
static const Chatbots__Answer *answer_of(const struct ask *r, size_t place)
{
	size_t i = 0;

	while (i < r->answer_count && place >= r->answers[i]->n_questions)
		place -= r->answers[i++]->n_questions;
	return i < r->answer_count ? r->answers[i] : NULL;
}

void ask_as(struct ask *r, Chatbots__FoundChatbot *bot, struct arena *a)
{
	r->name = bot->chatbot->name;
	r->documents = bot->chatbot->documents;
	r->document_count = bot->chatbot->n_documents;
	r->answers = bot->answers;
	r->answer_count = bot->n_answers;
	r->documents_named = false;
	settings_read(bot->chatbot->settings, &r->settings, a);
}

/* documents: they are searched; answers: their questions are compared. */
static int find(struct ask *r, const char *query, bool documents, bool answers)
{
	Documents__FindForAnswerRequest request = DOCUMENTS__FIND_FOR_ANSWER_REQUEST__INIT;
	struct call call = retrieve_nearer(r->call);
	Documents__FoundForAnswer *found;

	request.query = (char *)query;
	request.document_ids = r->documents;
	request.n_document_ids = documents ? r->document_count : 0;
	request.has_all_there = true;
	request.all_there = r->documents_named;
	request.has_limit = true;
	request.limit = r->settings.top_k;
	request.asked = (char *)r->question;
	if (answers)
		request.questions = known_questions(r, &request.n_questions);
	if (documents_client_find_for_answer(r->chat->documents, &call, &request, &found) < 0)
		return -1;
	r->curated = found->has_question ? answer_of(r, (size_t)found->question) : NULL;
	r->found = found->results;
	r->found_count = found->n_results < CITATIONS_MAX ? found->n_results : CITATIONS_MAX;
	return 0;
}

/* Over where the model has said what to look for; 1 while it thinks. */
static int search_on(struct ask *r)
{
	const char *query;

	if (rephrase_go_on(r->rephrasing, &query) > 0)
		return 1;
	r->rephrasing = NULL;
	if (atomic_load(r->stop))
		return 0;
	return find(r, query ? query : query_of(r), true, false);
}

int ask_search(struct ask *r)
{
	struct model *model = ask_whom(r);
	bool due = r->document_count && rephrase_is_due(r, model);

	if (!r->document_count && !r->answer_count)
		return 0;
	if (due && r->answer_count) { /* no model is asked for what is answered beforehand */
		if (find(r, r->question, false, true) < 0)
			return -1;
		if (r->curated)
			return 0;
	}
	r->rephrasing = due ? rephrase_begin(r, model) : NULL;
	return r->rephrasing ? search_on(r) : find(r, query_of(r), true, !due);
}

const char *ask_rag_status(const struct ask *r)
{
	if (r->curated)
		return "curated";
	return r->found_count ? "used" : r->document_count ? "empty" : "off";
}

Documents__Source **ask_sources(const struct ask *r, size_t *n)
{
	Documents__Source **list = arena_new(r->call->arena, Documents__Source *, (size_t)r->citations.count);

	*n = (size_t)r->citations.count;
	for (size_t i = 0; i < *n; i++)
		list[i] = r->found[r->citations.cited[i] - 1];
	return list;
}

static const struct passage *passages_of(const struct ask *r)
{
	struct passage *list = arena_new(r->call->arena, struct passage, r->found_count);

	for (size_t i = 0; i < r->found_count; i++) {
		list[i].document = r->found[i]->document_name;
		list[i].page = r->found[i]->has_page ? r->found[i]->page : 0;
		list[i].text = r->found[i]->text ? r->found[i]->text : "";
		list[i].heading = r->found[i]->heading;
		r->found[i]->heading = NULL; /* a source as it is shown has none */
	}
	return list;
}

/* --- While it comes --------------------------------------------------------------------------------------------------- */

static void observe_first(struct ask *r)
{
	if (r->began_us)
		metric_observe(metrics_get(service_metrics(r->call->service), METRIC_HISTOGRAM,
		                           "chat_first_token_seconds",
		                           arena_printf(r->call->arena, "provider=\"%s\"", r->model->name),
		                           "From the prompt to the first piece of the answer."),
		               clock_mono_us() - r->began_us);
	r->began_us = 0;
}

/* What the filter gave out goes on. */
static void give_out(struct ask *r)
{
	if (!r->clean.length)
		return;
	r->characters += (int64_t)utf8_length(r->clean.at, r->clean.length);
	r->on_text(r->arg, r->clean.at, r->clean.length);
	r->clean.length = 0;
}

static int take_text(void *arg, const char *bytes, size_t size)
{
	struct ask *r = arg;
	size_t fits;

	observe_first(r);
	while (size && !r->text_bytes && strchr(" \t\r\n", *bytes)) { /* no answer begins with blank lines */
		bytes++;
		size--;
	}
	fits = utf8_clip(bytes, size, ASK_TEXT_MAX - r->text_bytes);
	r->text_bytes += fits;
	citations_feed(&r->citations, bytes, fits, &r->clean);
	give_out(r);
	if (fits < size)
		r->result.finish = "length";
	return fits < size || atomic_load(r->stop);
}

static void count_on(struct ask *r)
{
	if (r->asked)
		citations_go_on(&r->citations, (int)r->told_count);
	else
		citations_init(&r->citations, (int)r->told_count);
}

static void take_back(void *arg)
{
	struct ask *r = arg;

	count_on(r);
	r->text_bytes = 0;
	r->clean.length = 0;
	r->on_take_back(r->arg);
}

static int take_reasoning(void *arg, const char *bytes, size_t size)
{
	struct ask *r = arg;

	observe_first(r);
	if (r->reasoning_bytes + size <= ASK_TEXT_MAX) { /* the rest is thought in silence */
		r->reasoning_bytes += size;
		r->characters += (int64_t)utf8_length(bytes, size);
		if (r->on_reasoning && !r->for_visitor)
			r->on_reasoning(r->arg, bytes, size);
	}
	return atomic_load(r->stop);
}

/* --- Writing ---------------------------------------------------------------------------------------------------------- */

static void count_tokens(struct ask *r, const struct model_message *prompt, size_t count)
{
	r->usage.has_prompt_tokens = r->usage.has_completion_tokens = true;
	r->usage.prompt_tokens += r->result.prompt_tokens;
	r->usage.completion_tokens += r->result.completion_tokens;
	if (r->result.has_usage)
		return;
	for (size_t i = 0; i < count; i++)
		r->usage.prompt_tokens += tokens_of(prompt[i].content);
	r->usage.completion_tokens += (r->characters + 3) / 4;
}

/* What is asked, and lives until it is answered. */
struct inquiry {
	struct prompt prompt;
	struct arena *arena;
	struct model_request request;
	struct model_sink sink;
	struct model_answering answering;
};

/* For a model that found the prompt too long: half the history, then none of it, then half of the passages again and again. */
static bool shorten(void *arg, const struct model_message **messages, size_t *count)
{
	struct inquiry *inquiry = arg;
	struct prompt *p = &inquiry->prompt;

	if (p->history_count > 0) {
		size_t kept = p->history_count > 3 ? p->history_count / 4 * 2 : 0;

		p->history += p->history_count - kept;
		p->history_count = kept;
	} else if (p->passage_count > 1) {
		p->passage_count /= 2;
	} else {
		return false;
	}
	*messages = prompt_build(p, count, inquiry->arena);
	return true;
}

/* Nothing was found, and the owner has said what is said then. */
static bool refuses(const struct ask *r)
{
	return r->document_count && !r->found_count && !r->tool_count && *r->settings.refusal;
}

/* What the owner wrote is said as it stands, in one piece; its brackets are no citations. */
static int say(struct ask *r, const char *text)
{
	size_t size = strlen(text);

	r->usage.has_prompt_tokens = r->usage.has_completion_tokens = true;
	r->result.finish = "stop";
	r->text_bytes = size;
	r->on_text(r->arg, text, size);
	return 0;
}

static struct prompt prompt_of(const struct ask *r)
{
	return (struct prompt){
		.name = r->name,
		.settings = &r->settings,
		.passages = passages_of(r),
		.passage_count = r->searches ? 0 : r->found_count,
		.has_documents = r->document_count > 0 || (r->found_count && !r->searches),
		.tools = r->tools,
		.tool_count = r->tool_count,
		.searches = r->searches,
		.after = r->after,
		.after_count = r->after_count,
		.history = r->history,
		.history_count = r->history_count,
		.context_tokens =
		    r->settings.context_tokens ? r->settings.context_tokens : r->chat->context_tokens,
		.now = (time_t)(clock_unix_ms() / 1000),
		.question = r->question,
	};
}

static struct model_request request_of(const struct ask *r, struct inquiry *inquiry)
{
	return (struct model_request){
		.model = r->settings.model,
		.temperature = r->settings.temperature,
		.max_tokens = r->settings.max_tokens,
		.question = r->question,
		.welcome = r->settings.welcome,
		.passages = inquiry->prompt.passages,
		.passage_count = r->found_count,
		.has_documents = inquiry->prompt.has_documents,
		.tools = r->tools,
		.tool_count = r->tool_count,
		.cancelled = r->stop,
		.for_visitor = r->for_visitor,
		.request_id = r->call->request_id,
		.shorten = shorten,
		.shorten_arg = inquiry,
		.db = r->call->db,
	};
}

/* 1: it is to be asked; 0: what is said is said without a model. */
static int prepare(struct ask *r)
{
	struct inquiry *inquiry;
	struct model_request *request;

	if (r->curated)
		return say(r, r->curated->answer);
	if (refuses(r))
		return say(r, r->settings.refusal);
	inquiry = r->under_way = arena_new(r->call->arena, struct inquiry, 1);
	request = &inquiry->request;
	inquiry->arena = r->call->arena;
	inquiry->sink = (struct model_sink){ take_text, take_reasoning, r, take_back };
	inquiry->prompt = prompt_of(r);
	*request = request_of(r, inquiry);
	request->messages = prompt_build(&inquiry->prompt, &request->message_count, r->call->arena);
	r->model = ask_whom(r);
	if (r->model == r->chat->openai && own_key(r->call, &request->own_key, &request->own_url) < 0)
		return -1;
	r->began_us = clock_mono_us();
	text_init(&r->clean, r->call->arena);
	r->told_count = r->searches ? r->found_count : inquiry->prompt.passages_told;
	r->result = (struct model_result){ 0 };
	r->characters = 0;
	r->text_bytes = 0;
	count_on(r);
	return 1;
}

static int conclude(struct ask *r, int result)
{
	const struct model_request *request = &r->under_way->request;

	citations_end(&r->citations, &r->clean);
	give_out(r);
	count_tokens(r, request->messages, request->message_count);
	r->asked++;
	if (result == 0 && r->remark && !atomic_load(r->stop)) {
		r->on_text(r->arg, "\n\n", 2);
		r->on_text(r->arg, r->remark, strlen(r->remark));
	}
	if (result == 0 && !r->text_bytes && !r->result.call_count && !atomic_load(r->stop))
		return error_set(r->call->err, ERROR_UPSTREAM, "the model gave no answer");
	return result;
}

static int answer_here(struct ask *r)
{
	struct inquiry *inquiry = r->under_way;

	return r->model->answer(r->model, &inquiry->request, &inquiry->sink, &r->result, r->call->arena,
	                        r->call->err);
}

int ask_model(struct ask *r)
{
	int result = prepare(r);

	if (result <= 0)
		return result;
	r->under_way->answering = (struct model_answering){ .model = r->model,
		                                            .request = &r->under_way->request,
		                                            .sink = &r->under_way->sink,
		                                            .result = &r->result,
		                                            .arena = r->call->arena,
		                                            .err = r->call->err,
		                                            .wake = r->wake,
		                                            .arg = r->wake_arg };
	return ask_go_on(r);
}

int ask_go_on(struct ask *r)
{
	int result;

	if (r->rephrasing)
		return search_on(r);
	result = r->model->go_on ? r->model->go_on(&r->under_way->answering) : answer_here(r);
	return result > 0 ? 1 : conclude(r, result);
}

int64_t ask_until(const struct ask *r)
{
	return r->rephrasing ? rephrase_until(r->rephrasing) : r->under_way->answering.until;
}

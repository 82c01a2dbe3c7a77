#include "svc-chat/model/hearing.h"

#include <string.h>

#include "svc-chat/model/extent.h"

enum {
	EVENT_MAX = 4 << 20,
	ERROR_BODY_MAX = 64 << 10,
	OPEN_MOST = 8, /* values that do not end, which are looked through to the end */
};

/* --- Giving out --------------------------------------------------------------------------------------------------- */

static struct text *without_calls(struct hearing *h, bool end)
{
	if (!h->offers)
		return &h->answer;
	h->clean.length = 0;
	prompted_feed(&h->prompted, h->answer.at, h->answer.length, &h->clean);
	if (end)
		prompted_end(&h->prompted, &h->clean);
	h->answer.length = 0;
	return &h->clean;
}

/* Many think of nothing, in a line or two. */
static void drop_blanks(struct text *t)
{
	size_t n = strspn(t->at, " \t\r\n");

	memmove(t->at, t->at + n, t->length - n + 1);
	t->length -= n;
}

static void give_out(struct hearing *h, bool end)
{
	struct text *clean;

	if (h->think.taken_back && h->answered)
		h->sink->take_back(h->sink->arg);
	if (h->think.taken_back && h->offers)
		prompted_restart(&h->prompted);
	h->answered &= !h->think.taken_back;
	h->think.taken_back = false;
	h->hold &= !h->think.apart;
	if (!h->thought)
		drop_blanks(&h->thoughts);
	if (h->thoughts.length && !h->ended) {
		h->given = h->thought = true;
		h->ended = h->sink->reasoning(h->sink->arg, h->thoughts.at, h->thoughts.length) != 0;
	}
	h->thoughts.length = 0;
	if (h->ended || h->hold)
		return;
	clean = without_calls(h, end);
	if (clean->length) {
		h->given = h->answered = true;
		h->ended = h->sink->text(h->sink->arg, clean->at, clean->length) != 0;
	}
	h->answer.length = 0;
}

/* --- Hearing ------------------------------------------------------------------------------------------------------ */

/* apart: a whole message behind pieces tells nothing but what they have left out. */
static const char *new_of(struct news *n, const char *text, bool whole, bool apart, size_t *size)
{
	*size = text ? strlen(text) : 0;
	if (apart && !news_begins(n, text, *size))
		*size = 0;
	return *size ? news_of(n, text, size, whole) : NULL;
}

static void note_words(struct hearing *h, size_t before)
{
	if (think_words(&h->think) || think_is_all(&h->think))
		text_add(&h->worded, h->thoughts.at + before, h->thoughts.length - before);
}

static void hear_texts(struct hearing *h, const struct completion *c)
{
	bool before = h->think.apart, apart = c->whole && (h->texts.said || h->reasonings.said);
	const char *text;
	size_t size, thought;

	text = new_of(&h->reasonings, c->reasoning, c->whole, apart, &size);
	if (size) {
		h->think.apart = true;
		h->hold = false;
		text_add(&h->thoughts, text, size);
	}
	text = new_of(&h->texts, c->text, c->whole, apart, &size);
	if (!size)
		return;
	thought = h->thoughts.length;
	think_feed(&h->think, text, size, &h->answer, &h->thoughts);
	note_words(h, thought);
	h->thought_first |= !before && h->think.apart && h->think.answered;
}

static void hear_calls(struct hearing *h, const struct completion *c)
{
	if (c->whole_calls && h->calls.count)
		return;
	for (size_t i = 0; i < c->call_count; i++)
		calls_take(&h->calls, &c->calls[i]);
}

static void keep(struct hearing *h, const struct complaint *c)
{
	h->complaint = *c;
	h->complaint.words = arena_strdup(h->arena, c->words);
	h->complaint.code = arena_strdup(h->arena, c->code);
}

/* An error behind the end takes nothing away; one beside it says what end it is. */
static void hear_complaint(struct hearing *h, const struct completion *c)
{
	if (h->failed || h->finished || !(c->failed || (c->remark && !h->remarked)))
		return;
	h->failed = c->failed;
	h->remarked |= c->remark;
	keep(h, &c->complaint);
}

static void hear(struct hearing *h, const struct completion *c)
{
	h->read++;
	hear_calls(h, c);
	if (c->model && !h->result->model)
		h->result->model = arena_strdup(h->arena, c->model);
	if (c->has_usage) {
		h->result->has_usage = true;
		h->result->prompt_tokens = c->prompt_tokens;
		h->result->completion_tokens = c->completion_tokens;
	}
	hear_texts(h, c);
	hear_complaint(h, c);
	if (c->finish && !h->finished) {
		h->finished = true;
		h->finish = arena_strdup(h->arena, c->finish);
	}
	h->done |= c->done;
}

static bool read_one(struct hearing *h, const char *bytes, size_t size)
{
	struct completion c = { 0 };
	const char *text;
	size_t length;

	arena_reset(&h->scratch);
	if (pattern_read(&h->pattern, bytes, size, &text, &length)) {
		c.text = arena_strndup(&h->scratch, text, length);
	} else if (completion_read(bytes, size, &c, &h->scratch)) {
		pattern_learn(&h->pattern, bytes, size, &c);
	} else {
		return false;
	}
	hear(h, &c);
	return true;
}

/* Blanks, a byte order mark, and what parts records. */
static const char lead[] = " \t\r\n\x1e\xef\xbb\xbf";

/* Past those, and "data:" where a proxy has put a second one before it. */
static const char *skip_lead(const char *at, const char *end)
{
	for (;;) {
		while (at < end && *at && strchr(lead, *at))
			at++;
		if (end - at < 5 || memcmp(at, "data:", 5) != 0)
			return at;
		at += 5;
	}
}

/* One object; or several, side by side, a line each or in one list; between them whatever it is. */
static void read_objects(struct hearing *h, const char *bytes, size_t size)
{
	const char *end = bytes + size;
	int before = h->read, open = 0;

	if (read_one(h, bytes, size))
		return;
	for (const char *at = skip_lead(bytes, end); at < end; at = skip_lead(at, end)) {
		size_t left = (size_t)(end - at), extent = open < OPEN_MOST ? extent_of(at, left) : 0;
		const char *line = memchr(at, '\n', left);

		open += !extent || *at == '[';
		if (*at == ',' || *at == ']')
			extent = 1;
		extent = extent ? extent : line ? (size_t)(line - at) : left;
		at += read_one(h, at, extent) || *at != '[' || open > OPEN_MOST ? extent : 1;
	}
	h->unread += h->read == before;
}

/* "event: error": whatever it says is why. */
static void read_error(struct hearing *h, const char *bytes, size_t size)
{
	struct completion c = { .failed = true };

	arena_reset(&h->scratch);
	complaint_read(0, bytes, size, &c.complaint, &h->scratch);
	hear(h, &c);
}

static int on_event(void *arg, const struct sse_event *event)
{
	struct hearing *h = arg;

	if (h->done)
		return 0;
	if (strcmp(event->name, "error") == 0 || strcmp(event->name, "exception") == 0)
		read_error(h, event->data, event->size);
	else
		read_objects(h, event->data, event->size);
	h->done |= strcmp(event->name, "done") == 0;
	return 0;
}

/* An object in one line needs no blank line behind it. */
static bool is_event(const char *line, size_t size)
{
	return (size > 1 && line[0] == '{' && line[size - 1] == '}') ||
	       (size == 6 && memcmp(line, "[DONE]", 6) == 0);
}

/* --- In and out --------------------------------------------------------------------------------------------------- */

void hearing_init(struct hearing *h, const struct model_sink *sink, struct model_result *result,
                  bool thinks_first, struct arena *a)
{
	*h = (struct hearing){ .sink = sink, .result = result, .hold = thinks_first, .arena = a };
	arena_init(&h->scratch, 0);
	text_init(&h->body, a);
	text_init(&h->answer, a);
	text_init(&h->thoughts, a);
	text_init(&h->worded, a);
	think_init(&h->think);
	h->think.awaited = thinks_first;
	calls_init(&h->calls, a);
	pattern_init(&h->pattern, a);
	result->calls = NULL;
	result->call_count = 0;
	sse_reader_init(&h->reader, EVENT_MAX, on_event, h);
	h->reader.is_event = is_event;
}

void hearing_offer(struct hearing *h, const struct model_request *request, bool by_words)
{
	h->offers = h->think.calls = request->tool_count > 0;
	prompted_init(&h->prompted, &h->calls, request, by_words, h->arena);
	text_init(&h->clean, h->arena);
}

void hearing_done(struct hearing *h)
{
	sse_reader_done(&h->reader);
	arena_done(&h->scratch);
}

/* Events, or something else: the first character tells, that is no byte order mark. */
static bool is_whole(struct hearing *h, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !h->decided; i++)
		if (!strchr(lead, bytes[i]) || !bytes[i]) {
			h->decided = true;
			h->whole = bytes[i] == '{' || bytes[i] == '<' || bytes[i] == '[';
		}
	return h->whole;
}

int hearing_feed(struct hearing *h, int status, const char *bytes, size_t size)
{
	bool good = status >= 200 && status < 300, whole = is_whole(h, bytes, size) || !good;
	struct error too_large = { 0 };

	h->status = status;
	if (whole && h->body.length + size <= (good ? (size_t)EVENT_MAX : (size_t)ERROR_BODY_MAX))
		text_add(&h->body, bytes, size);
	else if (whole || sse_reader_feed(&h->reader, bytes, size, &too_large) < 0)
		h->too_large = good;
	arena_done(&h->scratch); /* it is long until the next piece */
	give_out(h, false);
	return h->ended || h->failed || h->too_large;
}

bool hearing_is_page(const struct hearing *h)
{
	return *skip_lead(h->body.at, h->body.at + h->body.length) == '<';
}

/* Who was asked how he thinks, or for XML, may begin as others begin to think: then the end of the answer is the end of that. */
static void answer_in_words(struct hearing *h)
{
	const char *words = think_words(&h->think);

	if (h->answered || !(h->finished || h->done) || (h->finish && strcmp(h->finish, "length") == 0))
		return;
	if (!words && (!think_is_all(&h->think) || h->reasonings.said))
		return;
	text_adds(&h->answer, words ? words : "");
	text_add(&h->answer, h->worded.at, h->worded.length);
}

void hearing_end(struct hearing *h)
{
	size_t thought;

	if (h->ended || h->status < 200 || h->status >= 300)
		return;
	if (h->whole && !hearing_is_page(h)) {
		read_objects(h, h->body.at, h->body.length);
		h->done |= h->read > 0;
	} else if (!h->whole && !h->too_large) {
		sse_reader_end(&h->reader);
	}
	thought = h->thoughts.length;
	think_end(&h->think, &h->answer, &h->thoughts);
	note_words(h, thought);
	answer_in_words(h);
	h->hold = false;
	give_out(h, true);
	h->result->calls = calls_made(&h->calls, &h->result->call_count);
}

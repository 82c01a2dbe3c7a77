#include "svc-chat/model/think.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *open, *close;
} tags[] = {
	{ "<thought>", "</thought>" },
	{ "<reasoning>", "</reasoning>" },
	{ "<scratchpad>", "</scratchpad>" },
	{ "<analysis>", "</analysis>" },
	{ "<reflection>", "</reflection>" },
	{ "<think>", "</think>" },
	{ "<thinking>", "</thinking>" },
	{ "<seed:think>", "</seed:think>" },
	{ "<|begin_of_thought|>", "<|end_of_thought|>" },
	{ "[THINK]", "[/THINK]" },
	{ "<think:opensource>", "</think:opensource>" },
	{ "<antThinking>", "</antThinking>" },
	{ "<|think|>", "<|/think|>" },
	{ "<|inner_prefix|>", "<|inner_suffix|>" },
	{ "<unused94>thought", "<unused95>" },
	{ "◁think▷", "◁/think▷" },
	{ "<longcat_think>", "</longcat_think>" },
	{ "<mm:think>", "</mm:think>" },
	{ "<|START_THINKING|>", "<|END_THINKING|>" },
	{ "<|channel>thought", "<channel|>" },
	{ "Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]" },
	{ "Here is my thought process:", "Here is my response:" },
	{ "Here's my thought process:", "Here's my response:" },
};
enum {
	TAGS = sizeof tags / sizeof *tags,
	PLAIN = 5,        /* the first ones: any XML may have such, */
	XML = 2,          /* from here on those of answers, too: the closing tag alone tells nothing */
	WORDS = TAGS - 3, /* an answer may begin so, too, */
	REPLY = TAGS - 2, /* and so */
};

static const unsigned answers_tags = (1u << PLAIN) - (1u << XML);

/* What an answer stands in behind its thought. */
static const struct {
	const char *open, *close;
} wraps[] = { { "<answer>", "</answer>" },
	      { "<output>", "</output>" },
	      { "<|begin_of_solution|>", "<|end_of_solution|>" },
	      { "<|START_RESPONSE|>", "<|END_RESPONSE|>" },
	      { "<|begin_of_box|>", "<|end_of_box|>" } };
enum { WRAPS = sizeof wraps / sizeof *wraps };
/* Tokens that end a turn, or begin another: servers that do not know a model's own let them through. */
static const char *const ends[] = { "<|im_end|>",
	                            "<|eot_id|>",
	                            "<|eom_id|>",
	                            "<|endoftext|>",
	                            "<|end|>",
	                            "<|return|>",
	                            "</s>",
	                            "<eos>",
	                            "<turn|>",
	                            "<end_of_turn>",
	                            "<|end_of_text|>",
	                            "<|END_OF_TURN_TOKEN|>",
	                            "<｜end▁of▁sentence｜>",
	                            "<|eot|>",
	                            "<|role_end|>",
	                            "<|user|>",
	                            "<|observation|>",
	                            "<end_of_utterance>",
	                            "[|endofturn|]",
	                            "[END FINAL RESPONSE]",
	                            NULL };
static const char *const begins[] = {
	"<|im_start|>", "<|start_header_id|>", "<start_of_turn>",         "<|turn>",
	"<|user|>",     "<｜User｜>",          "<|START_OF_TURN_TOKEN|>", NULL
};
/* What an answer begins with, where a server takes the template's own marks for its text. */
static const char *const leads[] = { "<|im_start|>assistant",
	                             "<|start_header_id|>assistant<|end_header_id|>",
	                             "<start_of_turn>model",
	                             "<|turn>model",
	                             "<|assistant|>",
	                             "<｜Assistant｜>",
	                             "<|begin_of_text|>",
	                             "<s>",
	                             "<bos>",
	                             "<think/>",
	                             NULL };
static const char bare[] = "analysis", bare_end[] = "assistantfinal", harmony_start[] = "<|start|>";

enum think_step { STEP_ON, STEP_MORE };
enum match { MATCH_NONE, MATCH_PART, MATCH_ALL };

void think_init(struct think *t)
{
	*t = (struct think){ .mode = THINK_START };
}

/* --- What is held ------------------------------------------------------------------------------------------------- */

static enum match match(const struct think *t, const char *tag)
{
	size_t length = strlen(tag), same = length < t->held_size ? length : t->held_size;

	if (strncasecmp(t->held, tag, same) != 0)
		return MATCH_NONE;
	return same == length ? MATCH_ALL : MATCH_PART;
}

/* The best match of all opening or closing tags but some (bits); *which: the one that is there in full. */
static enum match match_any(const struct think *t, bool closing, unsigned but, size_t *which)
{
	enum match best = MATCH_NONE;

	for (size_t i = 0; i < TAGS; i++) {
		enum match m = but >> i & 1 ? MATCH_NONE : match(t, closing ? tags[i].close : tags[i].open);

		if (m > best) {
			best = m;
			*which = i;
		}
	}
	return best;
}

/* The same of a list; *length: of the one that is there in full. */
static enum match match_list(const struct think *t, const char *const *list, size_t *length)
{
	enum match best = MATCH_NONE;

	for (; *list; list++) {
		enum match m = match(t, *list);

		if (m > best) {
			best = m;
			*length = strlen(*list);
		}
	}
	return best;
}

static void drop(struct think *t, size_t size)
{
	t->held_size -= size;
	memmove(t->held, t->held + size, t->held_size);
}

static enum think_step give(struct think *t, struct text *ret)
{
	text_addc(ret, t->held[0]);
	drop(t, 1);
	return STEP_ON;
}

/* --- Blocks ------------------------------------------------------------------------------------------------------- */

/* <answer>, where thought came before it; its closing tag then ends the turn. */
static enum match open_wrap(struct think *t)
{
	enum match best = MATCH_NONE;

	for (size_t i = 0; i < WRAPS; i++) {
		enum match m = t->apart || wraps[i].open[1] == '|' ? match(t, wraps[i].open) : MATCH_NONE;

		if (m == MATCH_ALL) {
			t->wrapped = true;
			drop(t, strlen(wraps[i].open));
		}
		best = m > best ? m : best;
	}
	return best;
}

/* gpt-oss, of whose channels only the words are left: "analysisThe user asks ...assistantfinalTwo years."; not
 * "AnalysisException". */
static enum match match_bare(const struct think *t)
{
	enum match m = t->apart || t->held[0] != bare[0] ? MATCH_NONE : match(t, bare);

	if (m != MATCH_ALL)
		return m;
	return t->held_size < sizeof bare                                           ? MATCH_PART
	       : t->held[sizeof bare - 1] >= 'A' && t->held[sizeof bare - 1] <= 'Z' ? MATCH_ALL
	                                                                            : MATCH_NONE;
}

static enum think_step start(struct think *t, bool final)
{
	size_t tag = 0, length = 0;
	enum match open, close, lead = match_list(t, leads, &length), channel = match(t, "<|channel|>"),
	                        role = match(t, harmony_start), wrap, naked = match_bare(t);

	if (strchr(" \t\r\n", t->held[0]) && t->held[0]) {
		drop(t, 1);
		return STEP_ON;
	}
	if (lead == MATCH_ALL) {
		drop(t, length);
		return STEP_ON;
	}
	if (channel == MATCH_ALL || role == MATCH_ALL) {
		t->mode = THINK_HEADER;
		return STEP_ON;
	}
	open = match_any(t, false, 0, &tag);
	if (open == MATCH_ALL) {
		t->mode = THINK_BLOCK;
		t->tag = tag;
		t->several |= t->apart;
		drop(t, strlen(tags[tag].open));
		return STEP_ON;
	}
	close = match_any(t, true, ~0u << REPLY, &tag);
	if (close == MATCH_ALL) { /* of nothing */
		drop(t, strlen(tags[tag].close));
		return STEP_ON;
	}
	wrap = open_wrap(t);
	if (wrap == MATCH_ALL)
		return STEP_ON;
	if (naked == MATCH_ALL) {
		t->mode = THINK_BARE;
		drop(t, sizeof bare - 1);
		return STEP_ON;
	}
	if (!final && (open || close || lead || channel || role || wrap || naked))
		return STEP_MORE;
	t->mode = THINK_ANSWER;
	return STEP_ON;
}

static enum think_step block(struct think *t, bool final, struct text *thought)
{
	enum match close = match(t, tags[t->tag].close);

	if (close == MATCH_PART && !final)
		return STEP_MORE;
	if (close != MATCH_ALL)
		return give(t, thought);
	drop(t, strlen(tags[t->tag].close));
	t->apart = true;
	t->mode = THINK_START;
	return STEP_ON;
}

static enum think_step naked(struct think *t, bool final, struct text *thought)
{
	enum match end = match(t, bare_end);

	if (end == MATCH_PART && !final)
		return STEP_MORE;
	if (end != MATCH_ALL)
		return give(t, thought);
	drop(t, sizeof bare_end - 1);
	t->apart = true;
	t->mode = THINK_START;
	return STEP_ON;
}

static bool is_fence(const struct think *t)
{
	return t->lead >= 3 && t->lead == t->ticks && (!t->fence || (t->lead >= t->fence && !t->begun));
}

/* Tags are spoken of there. */
static bool in_code(const struct think *t)
{
	return is_fence(t) ? !t->fence : t->fence || t->ticks % 2;
}

static void begin_line(struct think *t)
{
	t->lead = t->ticks = 0;
	t->begun = false;
}

/* Where code is, as c comes behind what the answer has. */
static void follow(struct think *t, char c)
{
	if (c == '\n') {
		if (is_fence(t))
			t->fence = t->fence ? 0 : t->lead;
		begin_line(t);
	} else if (c == '`') {
		t->ticks++;
		t->lead += !t->begun;
	} else {
		t->begun |= c != ' ' && c != '\t';
	}
}

/* What seemed to be the answer was thought. */
static void take_back(struct think *t, struct text *answer, struct text *thought)
{
	text_add(thought, answer->at, answer->length);
	answer->length = 0;
	answer->at[0] = '\0';
	t->apart = true;
	t->fence = 0;
	begin_line(t);
}

static enum match match_end(const struct think *t, size_t *length)
{
	enum match best = match_list(t, ends, length);

	for (size_t i = 0; t->wrapped && i < WRAPS; i++) {
		enum match m = match(t, wraps[i].close);

		if (m > best) {
			best = m;
			*length = strlen(wraps[i].close);
		}
	}
	return best;
}

static enum think_step answer_on(struct think *t, bool final, struct text *answer, struct text *thought)
{
	bool may_be = t->held[0] && strchr("<[\xe2", t->held[0]), code = may_be && in_code(t);
	bool may_close = may_be && !t->apart && (!code || t->awaited);
	size_t tag = 0, length = 0;
	enum match open = may_close ? match_any(t, false, ~0u << PLAIN, &tag) : MATCH_NONE;
	enum match close = may_close ? match_any(t, true, t->opened | answers_tags, &tag) : MATCH_NONE;
	enum match end = may_be && !code ? match_end(t, &length) : MATCH_NONE;

	if (close == MATCH_ALL) {
		drop(t, strlen(tags[tag].close));
		take_back(t, answer, thought);
		t->mode = THINK_START;
		return STEP_ON;
	}
	if (end == MATCH_ALL) {
		t->mode = THINK_TAIL;
		return STEP_ON;
	}
	if ((open == MATCH_PART || close || end) && !final)
		return STEP_MORE;
	t->opened |= open == MATCH_ALL ? 1u << tag : 0;
	t->answered = true;
	follow(t, t->held[0]);
	return give(t, answer);
}

/* --- Behind the end ----------------------------------------------------------------------------------------------- */

/* It is text after all: somebody speaks of such tokens. */
static enum think_step tail_is_text(struct think *t, struct text *answer)
{
	text_add(answer, t->tail, t->tail_size);
	for (size_t i = 0; i < t->tail_size; i++)
		follow(t, t->tail[i]);
	t->tail_size = 0;
	t->answered = true;
	t->mode = THINK_ANSWER;
	return STEP_ON;
}

static enum think_step tail(struct think *t, bool final, struct text *answer, struct text *thought)
{
	size_t length = 1, ignored;
	enum match end = match_end(t, &length), next = match_list(t, begins, &ignored);
	enum match harmony = match(t, harmony_start);
	bool blank = t->held[0] && strchr(" \t\r\n", t->held[0]);

	if (harmony == MATCH_ALL) {
		if (!t->apart)
			take_back(t, answer, thought);
		t->mode = THINK_HEADER;
		return STEP_ON;
	}
	if (next == MATCH_ALL && t->tail_size) { /* else it is a word that the answer is about */
		t->mode = THINK_OVER;
		return STEP_ON;
	}
	if ((blank || end == MATCH_ALL) && t->tail_size + length <= sizeof t->tail) {
		memcpy(t->tail + t->tail_size, t->held, length);
		t->tail_size += length;
		drop(t, length);
		return STEP_ON;
	}
	if (!final && (end == MATCH_PART || next || harmony))
		return STEP_MORE;
	return tail_is_text(t, answer);
}

/* --- Channels ----------------------------------------------------------------------------------------------------- */

/* "<|word|>" at the beginning of what is held; its length. */
static enum match match_token(const struct think *t, size_t *length)
{
	size_t n = 2;

	if (t->held[0] != '<' || (t->held_size > 1 && t->held[1] != '|'))
		return MATCH_NONE;
	while (n < t->held_size && ((t->held[n] >= 'a' && t->held[n] <= 'z') || t->held[n] == '_'))
		n++;
	if (n >= t->held_size)
		return n < 24 ? MATCH_PART : MATCH_NONE;
	if (t->held[n] != '|')
		return MATCH_NONE;
	if (n + 1 == t->held_size)
		return MATCH_PART;
	*length = n + 2;
	return t->held[n + 1] == '>' ? MATCH_ALL : MATCH_NONE;
}

static bool is_final_channel(const struct think *t)
{
	static const char *const names[] = { "final", "assistant" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (t->channel_size >= strlen(names[i]) &&
		    memcmp(t->channel, names[i], strlen(names[i])) == 0)
			return true;
	return t->channel_size == 0;
}

/* "commentary to=functions.add": whom it is for, in either half of a header. */
static void note_recipient(struct think *t)
{
	static const char to[] = "to=";
	const char *at = memmem(t->channel, t->channel_size, to, sizeof to - 1);
	size_t size = at ? (size_t)(t->channel + t->channel_size - (at += sizeof to - 1)) : 0, n = 0;

	while (n < size && n + 1 < sizeof t->recipient && !strchr(" \t\r\n", at[n]))
		n++;
	if (!n)
		return;
	memcpy(t->recipient, at, n);
	t->recipient[n] = '\0';
}

/* A call, as others have it: the marks of prompted.h. */
static enum think_mode open_channel(struct think *t, struct text *answer)
{
	note_recipient(t);
	if (!t->calls || !*t->recipient)
		return is_final_channel(t) ? THINK_FINAL : THINK_CHANNEL;
	t->apart = true;
	text_addf(answer, "<|tool_call_begin|>%s<|tool_call_argument_begin|>", t->recipient);
	t->recipient[0] = '\0';
	return THINK_CALL;
}

static enum think_step header(struct think *t, bool final, struct text *answer)
{
	size_t length = 1;
	enum match token = match_token(t, &length);

	if (token == MATCH_PART && !final)
		return STEP_MORE;
	if (token != MATCH_ALL) {
		if (t->channel_size < sizeof t->channel)
			t->channel[t->channel_size++] = t->held[0];
	} else if (match(t, "<|message|>") == MATCH_ALL) {
		t->mode = open_channel(t, answer);
	} else if (match(t, "<|constrain|>") == MATCH_NONE) {
		note_recipient(t);
		t->channel_size = 0;
	}
	drop(t, token == MATCH_ALL ? length : 1);
	return STEP_ON;
}

static enum think_step channel(struct think *t, bool final, struct text *ret)
{
	static const char *const stops[] = { "<|end|>", "<|return|>", "<|call|>", "<|start|>",
		                             "<|channel|>" };
	size_t length;
	enum match token = match_token(t, &length);

	if (token == MATCH_PART && !final)
		return STEP_MORE;
	for (size_t i = 0; token == MATCH_ALL && i < sizeof stops / sizeof *stops; i++)
		if (match(t, stops[i]) == MATCH_ALL) {
			text_adds(ret, t->mode == THINK_CALL ? "<|tool_call_end|>" : "");
			t->mode = THINK_HEADER;
			t->channel_size = 0;
			drop(t, length);
			return STEP_ON;
		}
	return give(t, ret);
}

/* --- All of it ---------------------------------------------------------------------------------------------------- */

static enum think_step step(struct think *t, bool final, struct text *answer, struct text *thought)
{
	switch (t->mode) {
	case THINK_START: return start(t, final);
	case THINK_ANSWER: return answer_on(t, final, answer, thought);
	case THINK_BLOCK: return block(t, final, thought);
	case THINK_HEADER: return header(t, final, answer);
	case THINK_CHANNEL: return channel(t, final, thought);
	case THINK_BARE: return naked(t, final, thought);
	case THINK_TAIL: return tail(t, final, answer, thought);
	case THINK_OVER: drop(t, t->held_size); return STEP_ON;
	case THINK_CALL:
	case THINK_FINAL: break;
	}
	return channel(t, final, answer);
}

void think_feed(struct think *t, const char *bytes, size_t size, struct text *answer, struct text *thought)
{
	bool answered = t->answered, apart = t->apart;

	for (size_t i = 0; i < size; i++) {
		t->held[t->held_size++] = bytes[i];
		while (t->held_size && step(t, false, answer, thought) == STEP_ON)
			;
	}
	/* A block before any answer takes nothing back. */
	if (answered && !apart && t->apart)
		t->taken_back = true;
}

bool think_is_all(const struct think *t)
{
	return (t->apart || t->mode == THINK_BLOCK) && !t->several && !t->answered &&
	       answers_tags >> t->tag & 1;
}

const char *think_words(const struct think *t)
{
	return t->mode == THINK_BLOCK && t->tag >= WORDS ? tags[t->tag].open : NULL;
}

void think_end(struct think *t, struct text *answer, struct text *thought)
{
	while (t->held_size)
		step(t, true, answer, thought);
}

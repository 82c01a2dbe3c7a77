#include "svc-chat/model/think.h"

#include <string.h>

static const struct {
	const char *open, *close;
} tags[] = {
	{ "<think>", "</think>" },           { "<thinking>", "</thinking>" },
	{ "<thought>", "</thought>" },       { "<reasoning>", "</reasoning>" },
	{ "<seed:think>", "</seed:think>" }, { "<|begin_of_thought|>", "<|end_of_thought|>" },
	{ "[THINK]", "[/THINK]" },           { "◁think▷", "◁/think▷" },
};
enum { TAGS = sizeof tags / sizeof *tags };

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

	if (memcmp(t->held, tag, same) != 0)
		return MATCH_NONE;
	return same == length ? MATCH_ALL : MATCH_PART;
}

/* The best match of all opening or closing tags; *which: the one that is there in full. */
static enum match match_any(const struct think *t, bool closing, size_t *which)
{
	enum match best = MATCH_NONE;

	for (size_t i = 0; i < TAGS; i++) {
		enum match m = match(t, closing ? tags[i].close : tags[i].open);

		if (m > best) {
			best = m;
			*which = i;
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
	t->last = t->held[0];
	text_addc(ret, t->held[0]);
	drop(t, 1);
	return STEP_ON;
}

/* --- Blocks ------------------------------------------------------------------------------------------------------- */

static enum think_step start(struct think *t, bool final)
{
	size_t tag = 0;
	enum match open, close, channel = match(t, "<|channel|>"), role = match(t, "<|start|>");

	if (strchr(" \t\r\n", t->held[0]) && t->held[0]) {
		drop(t, 1);
		return STEP_ON;
	}
	if (channel == MATCH_ALL || role == MATCH_ALL) {
		t->mode = THINK_HEADER;
		return STEP_ON;
	}
	open = match_any(t, false, &tag);
	if (open == MATCH_ALL) {
		t->mode = THINK_BLOCK;
		t->tag = tag;
		drop(t, strlen(tags[tag].open));
		return STEP_ON;
	}
	close = match_any(t, true, &tag);
	if (close == MATCH_ALL) { /* of nothing */
		drop(t, strlen(tags[tag].close));
		return STEP_ON;
	}
	if (!final && (open || close || channel || role))
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

static enum think_step answer_on(struct think *t, bool final, struct text *answer, struct text *thought)
{
	size_t tag = 0;
	enum match close = t->apart || t->last == '`' ? MATCH_NONE : match_any(t, true, &tag);

	if (close == MATCH_PART && !final)
		return STEP_MORE;
	if (close != MATCH_ALL) {
		t->answered = true;
		return give(t, answer);
	}
	drop(t, strlen(tags[tag].close));
	text_add(thought, answer->at, answer->length);
	answer->length = 0;
	answer->at[0] = '\0';
	t->apart = true;
	t->mode = THINK_START;
	return STEP_ON;
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

static enum think_step header(struct think *t, bool final)
{
	size_t length = 1;
	enum match token = match_token(t, &length);

	if (token == MATCH_PART && !final)
		return STEP_MORE;
	if (token != MATCH_ALL) {
		if (t->channel_size < sizeof t->channel)
			t->channel[t->channel_size++] = t->held[0];
	} else if (match(t, "<|message|>") == MATCH_ALL) {
		t->mode = is_final_channel(t) ? THINK_FINAL : THINK_CHANNEL;
	} else if (match(t, "<|constrain|>") == MATCH_NONE) {
		t->channel_size = 0;
	}
	drop(t, token == MATCH_ALL ? length : 1);
	return STEP_ON;
}

static enum think_step channel(struct think *t, bool final, struct text *ret)
{
	static const char *const ends[] = { "<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>" };
	size_t length;
	enum match token = match_token(t, &length);

	if (token == MATCH_PART && !final)
		return STEP_MORE;
	for (size_t i = 0; token == MATCH_ALL && i < sizeof ends / sizeof *ends; i++)
		if (match(t, ends[i]) == MATCH_ALL) {
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
	case THINK_HEADER: return header(t, final);
	case THINK_CHANNEL: return channel(t, final, thought);
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

void think_end(struct think *t, struct text *answer, struct text *thought)
{
	while (t->held_size)
		step(t, true, answer, thought);
}

/*
 * think: a filter for text that a model is writing: what it thinks aloud in the text goes another way than its answer.
 *
 * Understands "<think>...</think>" and its kin at the text's beginning (and again behind such a block), "</think>" alone
 * (the template began the thinking: all that came before is thought), and the channels of gpt-oss ("<|channel|>analysis
 * <|message|>..."), of which only `final` is answer, also where nothing but their words is left ("analysisThe user ...
 * assistantfinalTwo years."). What a turn ends with ("<|im_end|>", "</s>") goes when it is the end, or another turn begins
 * behind it, which goes too; where somebody speaks of it, it stays, and so do tags in code: in a fenced block, or behind an
 * odd backtick of their line. Tags may be cut anywhere.
 */
#ifndef PARLEY_CHAT_THINK_H
#define PARLEY_CHAT_THINK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/text.h"

enum think_mode {
	THINK_START, /* a block may begin here; blanks are passed over */
	THINK_ANSWER,
	THINK_BLOCK,   /* in <think> */
	THINK_HEADER,  /* of a channel: up to <|message|> */
	THINK_CHANNEL, /* in one that is not final */
	THINK_FINAL,
	THINK_CALL, /* in one for a tool */
	THINK_BARE, /* in a channel whose marks were lost: up to "assistantfinal" */
	THINK_TAIL, /* behind a token that ends a turn: the end, if nothing follows */
	THINK_OVER, /* another turn has begun, that nobody asked for */
};

struct think {
	enum think_mode mode;
	bool apart;      /* thought has come otherwise, or in a block: a closing tag alone is text */
	bool answered;   /* some answer was added */
	bool taken_back; /* see think_feed(); the caller unsets it */
	size_t tag;      /* which of the tags the block has */
	bool several;    /* it is not the first thought */
	unsigned opened; /* bits: which of them the answer has, so that the closing one is its, too */
	bool wrapped;    /* the answer stands in a tag of its own */
	bool awaited;    /* the caller sets it: a closing tag alone will come, and counts in code, too */
	bool
	    calls; /* the caller sets it: there are tools, and channels for them are calls (see prompted.h) */
	char held[64], channel[128], recipient[80], tail[128];
	size_t held_size, channel_size, tail_size;
	size_t fence;       /* backticks of the code block that the answer is in; 0: none */
	size_t lead, ticks; /* of its line: at the beginning; all */
	bool begun;         /* something else was in it */
};

void think_init(struct think *t);

/*
 * What is certain is added to answer and to thought. When a closing tag alone says so, what is in answer goes over to
 * thought; taken_back then says that what earlier calls have added to it was thought, too.
 */
void think_feed(struct think *t, const char *bytes, size_t size, struct text *answer, struct text *thought);
/* In a block that began with plain words ("Here is my thought process:"), these; else NULL. One that nothing ends may be the
 * answer itself. */
const char *think_words(const struct think *t);
/* Thought is all that has come, in one block, of a tag that answers have, too (<analysis>): it may be the answer itself. */
bool think_is_all(const struct think *t);
void think_end(struct think *t, struct text *answer, struct text *thought);

#endif

/*
 * blocks: passages taken apart into what can be quoted: sentences, items of lists, rows of tables, pieces of code; each
 * with the heading or the question that it stands under. A heading or a question is never a block: it says nothing by
 * itself.
 */
#ifndef PARLEY_CHAT_BLOCKS_H
#define PARLEY_CHAT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "svc-chat/model/model.h"

enum block_kind { BLOCK_SENTENCE, BLOCK_ITEM, BLOCK_ROW, BLOCK_CODE };

struct span {
	const char *at;
	size_t size;
};

struct section {
	struct span title; /* "Warranty", "How large is the deposit?"; size 0: none */
	size_t passage;
	ptrdiff_t above; /* place of the section that it is a part of; -1: none */
	int level;       /* of its heading, from 1; questions and titles without a mark lie below all */
	bool question;   /* the title asks, what stands below answers */
	bool given;      /* the title does not stand in the passage: it is what the passage stands under */
};

struct block {
	enum block_kind kind;
	struct span text;
	size_t section;   /* place in blocks.sections */
	size_t paragraph; /* blocks of one paragraph, list or table have the same */
	struct span
	    lead; /* of a sentence: the first few words of its paragraph, when they are a title of it */
	struct span head; /* of a row: the table's first row */
};

struct blocks {
	struct section *sections;
	size_t section_count;
	struct block *at;
	size_t count;
};

/* The passages must live as long as the blocks. */
void blocks_read(const struct passage *passages, size_t count, struct blocks *ret, struct arena *a);

/* The cells of a row ("| a | b |", "a,b", "a;b", "a<TAB>b"), at most `room`; returns how many. */
size_t blocks_cells(struct span row, struct span *ret, size_t room);

#endif

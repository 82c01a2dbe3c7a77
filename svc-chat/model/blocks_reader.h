/*
 * blocks_reader: what blocks.c is made of: lines, what makes one a title, tables, and where what was read goes. For
 * blocks*.c alone.
 */
#ifndef PARLEY_CHAT_BLOCKS_READER_H
#define PARLEY_CHAT_BLOCKS_READER_H

#include "svc-chat/model/blocks.h"

enum {
	BELOW_ALL = 9,  /* the level of a title without a mark */
	LEAD_WORDS = 4, /* of a first sentence that is a title: "§ 4 Security." */
};

struct reader {
	struct blocks *out;
	size_t block_room, section_room, paragraph, passage;
	struct span head; /* of the table being read */
	const char *end;  /* of the passage */
	struct arena *arena;
};

/* --- Lines ------------------------------------------------------------------------------------------------------------ */

struct span line_span(const char *at, const char *end); /* without the blanks around it */
const char *line_end(const char *s, const char *end);
bool line_asks(struct span s); /* it is one question */

/* --- What was read ---------------------------------------------------------------------------------------------------- */

void reader_add_section(struct reader *r, struct span title, int level, bool question, bool given);
/* What says nothing, or asks, is none. */
void reader_add_block(struct reader *r, enum block_kind kind, struct span text, struct span lead);

/* --- blocks_titles.c -------------------------------------------------------------------------------------------------- */

/* Of "Q: ...", "Frage 3: ...", "A) ...": the bytes before what is said. */
size_t title_label(struct span s);
struct span title_without(struct span s, size_t bytes);
/* The title of a line marked as a heading (#, bold), and its level; 0: it is none. */
int title_marked(struct span line, struct span *title);
bool title_underlined(const char *eol, const char *end);
bool title_numbered(const char *s, const char *end);
/* A short line that ends like no sentence: alone between empty lines, above its own clauses ("2. Sickness", "2.1 ..."), or
 * in capitals. */
bool title_bare(struct span line, const char *eol, const char *end, bool alone);
/* A short line above a longer one that would have had room for the next word, too: so it does not end where it does because
 * the line was full, and is a title. */
bool title_above(struct span line, const char *eol, const char *end);
/* --- blocks_tables.c -------------------------------------------------------------------------------------------------- */

bool table_piped(struct span line);
/* The character that divides the values of these lines, all into as many; 0: they are no table. */
char table_divider(const char *s, const char *end);
/* Rows of one table up to its last; its first row is the head, unless one is given. */
const char *table_read_pipes(struct reader *r, const char *s);
/* The first line names the columns when it has no digits and others have. */
void table_read_values(struct reader *r, const char *s, const char *end);
#endif

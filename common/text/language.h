/*
 * language: what differs between languages: which words carry a sentence rather than its subject, and how words are
 * brought to their stem (Snowball's algorithms).
 *
 * English is also what a text is taken for when nothing tells its language: names, tables, code, scripts that we have
 * no list for. They lose little by it.
 */
#ifndef PARLEY_LANGUAGE_H
#define PARLEY_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

enum language {
	LANGUAGE_EN,
	LANGUAGE_DE,
	LANGUAGE_ES,
	LANGUAGE_FR,
	LANGUAGE_IT,
	LANGUAGE_PT,
	LANGUAGE_NL,
	LANGUAGE_SV,
	LANGUAGE_RU,
	LANGUAGES
};

/* "en"; and back, English for what is not known. */
const char *language_name(enum language l);
enum language language_named(const char *name);

/* The language of a text (valid UTF-8) by its function words, `otherwise` when they do not tell. Looks at the first
 * few thousand words. */
enum language language_guess(const char *text, size_t size, enum language otherwise);

/* Is this folded word one that carries a sentence: "the", "what"? */
bool language_common(enum language l, const char *word);
/* Is it one but for a slip (spelling.h): "mcuh", "wich"? */
bool language_nearly_common(enum language l, const char *word);

/* The stemmers of all languages, made when first used. They serve one thread at a time. */
struct stemmers;
struct stemmers *stemmers_new(void);
void stemmers_free(struct stemmers *s);
/* The stem of a folded word; good until the next call. */
const char *stem(struct stemmers *s, enum language l, const char *word, size_t size, size_t *stem_size);

/* A shelf of them for many threads: what they have met they remember for whoever comes next. */
struct stemmers_shelf;
struct stemmers_shelf *stemmers_shelf_new(void);
void stemmers_shelf_free(struct stemmers_shelf *shelf); /* NULL is fine */
struct stemmers *stemmers_take(struct stemmers_shelf *shelf);
void stemmers_put_back(struct stemmers_shelf *shelf, struct stemmers *s);

#endif

/*
 * phrases: what the builtin answerer says of itself, in the language of the documents, and the small talk that it
 * knows to answer: greetings, thanks, good-byes, who it is and what it can do.
 */
#ifndef PARLEY_CHAT_PHRASES_H
#define PARLEY_CHAT_PHRASES_H

#include <stdbool.h>

#include "common/text/language.h"

/* Of the languages that have words for it; English stands for the others. */
enum tongue { TONGUE_ZH = LANGUAGES, TONGUE_JA, TONGUE_TR, TONGUE_AR, TONGUE_HI, TONGUES };

struct phrases {
	const char *quoted;  /* before what is quoted */
	const char *nothing; /* found, at all */
	const char *about;   /* nothing found about {1} */
	const char *nearest; /* the nearest heading is {1} in the document {2} */
	const char *empty;   /* no documents */
	const char *hello, *thanks, *bye, *self;
};
const struct phrases *phrases(int tongue);

/* The tongue of a text: by its script or, Turkish, its letters; others as language_guess() has it. */
int phrases_tongue(const char *text, int otherwise);

enum small_talk { TALK_NONE, TALK_HELLO, TALK_THANKS, TALK_BYE, TALK_SELF };
/* What kind of small talk this message is, all of it; *tongue is the one it is in. */
enum small_talk phrases_small_talk(const char *message, int *tongue);

#endif

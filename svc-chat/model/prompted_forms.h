/* prompted_forms: the table of the forms that prompted.c reads, and where one begins. Nobody else includes it. */
#ifndef PARLEY_CHAT_PROMPTED_FORMS_H
#define PARLEY_CHAT_PROMPTED_FORMS_H

#include "svc-chat/model/prompted.h"

/* How a call is read, and where it may begin. */
enum kind {
	WRAPPED, /* up to its end, or the text's */
	WHOLE,   /* the same; what it begins with is part of it */
	OBJECT,  /* one object stands behind it, maybe with a name before */
	BARE,    /* nothing but the object */
	CLOSER,  /* behind a call, without its beginning */
	FENCED,
};
enum place { ANYWHERE, AT_LINE, AT_START /* or behind a call */ };

struct form {
	const char *start, *end;
	enum kind kind;
	enum place place;
};
extern const struct form prompted_form[]; /* by number, from 1 */

/* The form that begins here; 0: none, -1: one may, when more comes. */
int prompted_begins(const struct prompted *p);
/* 1: it is so, 0: it is not, -1: more must come to tell. In any case. */
int prompted_starts(const char *at, const char *with);
/* Past blanks. */
const char *prompted_behind_blanks(const char *at);

#endif

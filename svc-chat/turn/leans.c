#include "svc-chat/turn/leans.h"

#include <stdio.h>
#include <string.h>

#include "common/text/terms.h"

enum {
	LONGEST = 300, /* bytes of a question that may lean */
	FEW = 3,       /* words: too few to tell the language, or what is meant */
};

/* Words that point to something said before, folded, between blanks. */
static const char *const pointing[LANGUAGES] = {
	[LANGUAGE_EN] =
	    " it its he him his she her hers they them their theirs that this these those there one ones then "
	    "else and but ",
	[LANGUAGE_DE] =
	    " er sie es ihn ihm ihr ihre ihren sein seine das dies diese dieser dieses dort davon dazu damit "
	    "darin dafur und aber ",
	[LANGUAGE_ES] = " ella ellos ellas eso esto ese esa este esta alli ahi y pero ",
	[LANGUAGE_FR] = " il elle ils elles ca cela celui celle ceux celles y et mais ",
	[LANGUAGE_IT] = " lui lei loro esso essa questo questa quello quella ci e ma ",
	[LANGUAGE_PT] = " ele ela eles elas isso isto aquilo la e mas ",
	[LANGUAGE_NL] = " hij zij ze hem haar dat dit die daar en maar ",
	[LANGUAGE_SV] = " han hon den det de dem detta dessa och men ",
	[LANGUAGE_RU] = " он она они оно его ее их это этот эта эти там и а но ",
};

static bool points(enum language l, const char *word)
{
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	return pointing[l] && strstr(pointing[l], padded);
}

bool leans(const char *question)
{
	size_t size = strlen(question), carrying = 0, words = 0;
	enum language language = language_guess(question, size, LANGUAGE_EN);
	struct terms terms;
	bool back = false;

	if (size > LONGEST)
		return false;
	terms_init(&terms, question, size, NULL, language);
	for (struct term t; terms_next(&terms, &t);) {
		back |= points(language, t.word);
		words += !t.joined;
		carrying += !t.joined && !language_common(language, t.word);
	}
	return back || carrying <= 1 || words <= FEW;
}

#include "svc-chat/model/measures.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/text/terms.h"

/* Folded words, a blank around each; of the units, signs too. */
static const struct {
	const char *asks, *after, *units; /* after: only behind one of these words; NULL: anywhere */
} measures[] = {
	{ " cost costs price fee charge expensive kostet kosten preis gebuhr cuesta cuestan precio coute prix стоит ",
	  NULL,
	  " $ € £ ¥ euro euros eur dollar dollars usd pound pounds gbp cent cents ct pence free included gratis kostenlos "
	  "gratuit руб рублеи рубля рубль lira tl chf franken francs kr 元 円 percent cheaper half " },
	{ " heavy weigh weighs weight schwer wiegt gewicht pesa peso lourd pese poids ", NULL,
	  " kg g t lb lbs oz kilo kilos kilogram kilograms gram grams tonne tonnes tons pounds " },
	{ " wide width tall height deep depth breit breite tiefe ", NULL,
	  " m cm mm km inch inches foot feet ft metre metres meter meters kilometres miles centimetres " },
	{ " temperature hot warm temperatur temperatura ", NULL,
	  " ° degrees degree grad grados degres celsius c " },
	{ " old ", " how ", " year years built founded opened since month months " },
};

static bool among(const char *list, const char *word)
{
	char padded[TERM_MAX + 16];

	snprintf(padded, sizeof padded, " %s ", word);
	return *word && strstr(list, padded) != NULL;
}

const char *measures_units(const char *word, const char *previous)
{
	for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
		if (among(measures[i].asks, word) &&
		    (!measures[i].after || among(measures[i].after, previous)))
			return measures[i].units;
	return NULL;
}

/* "€", "元": what stands in no word, or in one that nothing divides. */
static bool has_sign(const char *units, struct span text)
{
	for (const char *at = units + 1; *at; at += strcspn(at, " ") + 1)
		if (!isalpha((unsigned char)*at) && memmem(text.at, text.size, at, strcspn(at, " ")))
			return true;
	return false;
}

bool measures_told(const char *units, struct span text)
{
	struct terms terms;
	struct term t;

	if (has_sign(units, text))
		return true;
	terms_init(&terms, text.at, text.size, NULL, LANGUAGE_EN);
	while (terms_next(&terms, &t))
		if (among(units, t.word + strspn(t.word, "0123456789."))) /* "49kg", too */
			return true;
	return false;
}

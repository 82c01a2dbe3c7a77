/* Small numbers one above the other, in a line of text: 3/4. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "svc-documents/helper/pdf.h"

static bool is_number(const struct pdf *p, const struct pdf_word *w)
{
	for (uint32_t i = 0; i < w->size; i++)
		if (!isdigit((unsigned char)p->text[w->text + i]))
			return false;
	return w->size > 0 && w->size < 4;
}

static void write_fraction(struct pdf *p, struct pdf_word *w, const struct pdf_word *before, float h,
                           const struct pdf_word *over, const struct pdf_word *under)
{
	char text[16];
	int size = snprintf(text, sizeof text, "%.*s/%.*s", (int)over->size, p->text + over->text,
	                    (int)under->size, p->text + under->text);

	w->text = pdf_add_text(p, text, (size_t)size);
	w->size = (uint32_t)size;
	w->h = h;
	if (before && w->x < before->x + before->w + h * 0.15f) /* 2 1/2 is not 21/2 */
		w->x = before->x + before->w + h * 0.15f;
}

void pdf_join_fractions(struct pdf *p, struct pdf_line *l)
{
	struct pdf_word *words = p->words;

	for (uint32_t i = 0; words && i < l->words; i++) {
		struct pdf_word *w = &words[l->word + i], *next = i + 1 < l->words ? w + 1 : NULL;
		const struct pdf_word *before = i ? w - 1 : NULL;

		if (!is_number(p, w))
			continue;
		/* Two words at one place, of which neither is as high as the line. */
		if (next && is_number(p, next) && w->h < l->h * 0.85f && next->h < l->h * 0.85f &&
		    fabsf(w->x + w->w / 2 - next->x - next->w / 2) < l->h * 0.2f &&
		    fabsf(w->y - next->y) > w->h * 0.7f) {
			struct pdf_word one = *w, other = *next;

			write_fraction(p, w, before, l->h, one.y < other.y ? &one : &other,
			               one.y < other.y ? &other : &one);
			next->size = 0;
			next->x = w->x + w->w;
			next->w = 0;
			continue;
		}
		/* Or one word that is higher than the line, and no wider than one digit. */
		if (w->size == 2 && w->h > l->h * 1.35f && w->w < l->h * 0.6f) {
			struct pdf_word over = { .text = w->text, .size = 1 },
			                under = { .text = w->text + 1, .size = 1 };

			write_fraction(p, w, before, l->h, &over, &under);
		}
	}
}

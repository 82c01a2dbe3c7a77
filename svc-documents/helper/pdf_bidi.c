/* Hebrew and Arabic: a PDF has them as they are printed, from left to right. */
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "svc-documents/helper/pdf.h"

static bool is_right_to_left(uint32_t c)
{
	return (c >= 0x0590 && c <= 0x08ff && !(c >= 0x0660 && c <= 0x0669) &&
	        !(c >= 0x06f0 && c <= 0x06f9)) ||
	       (c >= 0xfb1d && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfefc);
}

static bool is_digit(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 0x0660 && c <= 0x0669) || (c >= 0x06f0 && c <= 0x06f9);
}

static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= 0xc0 && c < 0x2000 && !is_right_to_left(c) && !is_digit(c)) ||
	       (c >= 0x2c00 && c < 0xfb00);
}

static void turn(uint32_t *c, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		uint32_t one = c[i];

		c[i] = c[count - 1 - i];
		c[count - 1 - i] = one;
	}
}

/* "12.50", "18:00": each stands as it was. */
static void turn_numbers(uint32_t *c, size_t count)
{
	for (size_t i = 0, n; i < count; i += n) {
		n = 1;
		if (!is_digit(c[i]))
			continue;
		while (i + n < count &&
		       (is_digit(c[i + n]) || (i + n + 1 < count && is_digit(c[i + n + 1]) &&
		                               c[i + n] < 0x80 && strchr(".,:/-", (int)c[i + n]))))
			n++;
		turn(c + i, n);
	}
}

/* Letters of the other direction, numbers, and what stands between them. */
static void turn_foreign(uint32_t *c, size_t count)
{
	for (size_t i = 0, n; i < count; i += n ? n : 1) {
		bool letters = false;

		n = 0;
		for (size_t k = i; k < count && !is_right_to_left(c[k]); k++) {
			n = is_digit(c[k]) || is_letter(c[k]) ? k - i + 1 : n;
			letters = letters || is_letter(c[k]);
			if (n == 0)
				break;
		}
		if (letters)
			turn(c + i, n);
		else
			turn_numbers(c + i, n);
	}
}

/* Words of such a script within text of the other direction. */
static void turn_words(uint32_t *c, size_t count)
{
	for (size_t i = 0, n; i < count; i += n ? n : 1) {
		n = 0;
		for (size_t k = i; k < count && !is_letter(c[k]); k++) {
			n = is_right_to_left(c[k]) ? k - i + 1 : n;
			if (n == 0)
				break;
		}
		turn(c + i, n);
		turn_numbers(c + i, n);
	}
}

void pdf_put_in_order(char *text)
{
	size_t size = strlen(text), count = 0, right = 0, left = 0;
	bool begins = false, ends = false; /* with a letter of such a script */
	uint32_t *c;

	if (!memchr(text, 0xd6, size) && !memchr(text, 0xd7, size) && !strpbrk(text, "\xd8\xd9\xda\xdb\xef"))
		return; /* as nearly all are */
	c = there(malloc((size + 1) * sizeof *c));
	for (size_t i = 0; i < size; count++) {
		char again[4];
		size_t n;

		c[count] = pdf_first_char(text + i, size - i);
		n = utf8_put(again, c[count]);
		if (n > size - i || memcmp(again, text + i, n) != 0) { /* no characters: nothing to be read */
			free(c);
			return;
		}
		if (is_right_to_left(c[count]) || is_letter(c[count])) {
			ends = is_right_to_left(c[count]);
			begins = right + left == 0 ? ends : begins;
			right += ends;
			left += !ends;
		}
		i += n;
	}
	if (right > left || (begins && ends)) {
		turn(c, count);
		turn_foreign(c, count);
	} else if (right) {
		turn_words(c, count);
	}
	if (right)
		for (size_t i = 0, at = 0; i < count; i++)
			at += utf8_put(text + at, c[i]);
	free(c);
}

/* Pages of a PDF as pictures, by poppler's pdftoppm, each read as it comes. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "svc-documents/helper/ocr.h"

enum {
	SIDE = 3300, /* pixels of a page's longer side: A4 at 282 to the inch, and a bound for posters */
	PAGE_SECONDS = 60, /* for one page, at most what is left */
	LAST_SECONDS = 20, /* kept for writing */
};

/* Where we are in what pdftoppm writes: "P5 width height 255", then so many bytes; page after page. */
struct scan {
	struct ocr *ocr;
	struct pdf pdf;
	int seconds; /* for all of it */
	int late;    /* pages that there was no time for, or not enough */
	char head[64];
	size_t head_size;
	int width, height;
	unsigned char *grey; /* NULL: in a head */
	size_t have;
};

/* Above 0: there is time for one more page. */
static int seconds_left(const struct scan *s)
{
	int left = s->seconds - LAST_SECONDS - (int)(clock() / CLOCKS_PER_SEC);

	return left < PAGE_SECONDS ? left : PAGE_SECONDS;
}

/* A page on which nothing is printed need not be looked at. */
static bool is_blank(const struct scan *s)
{
	size_t dark = 0, size = (size_t)s->width * (size_t)s->height;

	for (size_t i = 0; i < size; i++)
		dark += s->grey[i] < 128;
	return dark < 50;
}

static void end_page(struct scan *s)
{
	static const float empty[4] = { 0, 0, 595, 842 };
	int left = seconds_left(s);

	if (left <= 0 || is_blank(s))
		pdf_add_page(&s->pdf, empty);
	else if (!ocr_grey(s->ocr, s->grey, s->width, s->height, left, &s->pdf))
		s->late++;
	s->late += left <= 0;
	free(s->grey);
	s->grey = NULL;
	s->head_size = 0;
}

/* A byte of a head. It ends with the white space behind its third number. */
static void head(struct scan *s, char c)
{
	char *at = s->head + 2;
	int numbers = 0;

	if (s->head_size + 1 >= sizeof s->head)
		end(VERDICT_DAMAGED, "no head of a picture");
	s->head[s->head_size++] = c;
	s->head[s->head_size] = '\0';
	for (size_t i = 1; i < s->head_size; i++)
		numbers += isspace((unsigned char)s->head[i]) && !isspace((unsigned char)s->head[i - 1]);
	if (numbers < 4)
		return;
	s->width = (int)strtol(at, &at, 10);
	s->height = (int)strtol(at, &at, 10);
	if (memcmp(s->head, "P5", 2) != 0 || strtol(at, &at, 10) != 255 || s->width < 1 || s->height < 1 ||
	    s->width > SIDE + 1 || s->height > SIDE + 1)
		end(VERDICT_DAMAGED, "no head of a picture");
	s->have = 0;
	s->grey = there(malloc((size_t)s->width * (size_t)s->height));
}

static void take(void *arg, const char *bytes, size_t size)
{
	struct scan *s = arg;

	while (size) {
		size_t wanted, n = 1;

		if (!s->grey) {
			head(s, *bytes);
		} else {
			wanted = (size_t)s->width * (size_t)s->height - s->have;
			n = size < wanted ? size : wanted;
			memcpy(s->grey + s->have, bytes, n);
			s->have += n;
			if (n == wanted)
				end_page(s);
		}
		bytes += n;
		size -= n;
	}
}

void scan_read(struct ocr *ocr, const struct jail *jail, int first, int last, struct out *o)
{
	char from[16], to[16], side[16];
	char *argv[] = { "pdftoppm", "-gray", "-scale-to", side, "-f", from, "-l", to, "-", NULL };
	struct scan s = { .ocr = ocr, .seconds = jail->seconds };
	struct jailed p;
	int status;

	snprintf(from, sizeof from, "%d", first);
	snprintf(to, sizeof to, "%d", last);
	snprintf(side, sizeof side, "%d", SIDE);
	jail_start(jail, jail_find("pdftoppm"), argv, &p);
	jail_finish(&p, take, &s, &status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		snprintf(o->warning, sizeof o->warning,
		         "Some scanned pages were not read: they take too long.");
	if (s.late)
		snprintf(o->warning, sizeof o->warning, "%d scanned pages were not read: they take too long.",
		         s.late);
	pdf_judge(&s.pdf);
	pdf_write(&s.pdf, o);
}

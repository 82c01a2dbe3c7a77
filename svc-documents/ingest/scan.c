/* A PDF's pages that are pictures, read by the helper as such, and put where they belong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "svc-documents/ingest/extract.h"

enum {
	PAGES_MOST = 200,   /* of one document that are read so: more take too long */
	SECONDS = 600,      /* of processor time, for what is read at once */
	ALL_SECONDS = 1800, /* on the clock, for all of it: pages that are pictures may lie apart */
	SECONDS_LEAST = 60,
	PAGE_LAST = 1000000 /* a number that no page has */
};

struct piece {
	const char *at;
	size_t size;
};

/* Form feeds end pages. Returns the page; *at goes behind it, and is NULL at the end. */
static struct piece next_page(const char **at, const char *end)
{
	const char *s = *at, *feed = s < end ? memchr(s, '\f', (size_t)(end - s)) : NULL;

	*at = feed ? feed + 1 : NULL;
	return (struct piece){ s, (size_t)((feed ? feed : end) - s) };
}

static size_t letters(struct piece p)
{
	size_t n = 0;

	for (size_t i = 0; i < p.size; i++)
		n += !strchr(" \n", p.at[i]);
	return n;
}

/* What was read of a page as a picture: twice as much as it says otherwise, or it stays as it is. */
static bool choose(FILE *to, struct piece said, struct piece seen)
{
	bool more = letters(seen) > 2 * letters(said);

	if (more)
		fprintf(to, "\n\n%.*s\n\n", (int)seen.size, seen.at);
	else
		fwrite(said.at, 1, said.size, to);
	return more;
}

/* got's text with that of its pages from first to last, as far as part goes. Has it won anything? */
static bool merge(struct extracted *got, const struct extracted *part, int first, int last)
{
	const char *at = got->bytes, *end = at + got->size, *seen = part->bytes,
	           *seen_end = seen + part->size;
	bool won = false;
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	for (int number = 1; at; number++) {
		struct piece said = next_page(&at, end), new = { "", 0 };

		if (number >= first && number <= last && seen)
			new = next_page(&seen, seen_end);
		won = choose(to, said, new) || won;
		if (at)
			fputc('\f', to);
	}
	if (fclose(to) != 0)
		abort();
	free(got->bytes);
	got->bytes = text;
	got->size = size;
	return won;
}

static void warn(struct extracted *got, const char *warning)
{
	if (*warning)
		snprintf(got->warning, sizeof got->warning, "%s", warning);
}

/* Pages that cannot be read are no reason to lose the others. */
static int read_range(const struct extractors *e, int file, int first, int last, int seconds,
                      const struct wish *wish, struct extracted *got, struct error *err)
{
	char from[16], to[16];
	const char *pages[] = { from, to };
	const struct format scan = { .name = "scan", .words = "a scan", .seconds = seconds, .pages = true };
	struct extracted part;

	snprintf(from, sizeof from, "%d", first);
	snprintf(to, sizeof to, "%d", last);
	if (extract_once(e, &scan, file, pages, wish, &part, err) == 0) {
		if (merge(got, &part, first, last))
			*got->warning = '\0'; /* that there is hardly any text */
		warn(got, part.warning);
		extract_drop(&part);
		return 0;
	}
	if (err->code != ERROR_INVALID)
		return -1;
	warn(got, "Some scanned pages could not be read.");
	error_clear(err);
	return 0;
}

int scan_pages(const struct extractors *e, int file, const struct wish *wish, struct extracted *got,
               struct error *err)
{
	int64_t until = clock_mono_ms() + ALL_SECONDS * INT64_C(1000);
	const char *s = got->scans;
	int left = PAGES_MOST, seconds = SECONDS;
	char *end;

	for (; *s && left >= 0; s = end) {
		long first = strtol(s, &end, 10), last = -strtol(end, &end, 10), count = last - first + 1;

		if (first < 1 || last < first || last > PAGE_LAST)
			break; /* only a helper that is not itself any more says so */
		if (seconds < SECONDS_LEAST) {
			warn(got, "Some scanned pages were not read: they take too long.");
			return 0;
		}
		if (left && read_range(e, file, (int)first, (int)(first + (count < left ? count : left) - 1),
		                       seconds, wish, got, err) < 0)
			return -1;
		left -= (int)count;
		seconds = (int)((until - clock_mono_ms()) / 1000);
		seconds = seconds < SECONDS ? seconds : SECONDS;
	}
	if (left < 0)
		snprintf(got->warning, sizeof got->warning,
		         "Only the first %d of its scanned pages were read.", PAGES_MOST);
	return 0;
}

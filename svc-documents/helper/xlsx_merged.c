#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/xlsx.h"

enum { RANGES_MAX = 2000 };

long xlsx_column(const char *reference)
{
	long column = 0;

	for (; isupper((unsigned char)*reference); reference++)
		column = column < 100000 ? column * 26 + (*reference - 'A' + 1) : column;
	return column - 1;
}

static long row_of(const char *reference)
{
	while (isupper((unsigned char)*reference))
		reference++;
	return strtol(reference, NULL, 10);
}

static void add(struct xlsx_merged *m, const char *reference)
{
	const char *colon = strchr(reference, ':');
	struct xlsx_range one = { .column = xlsx_column(reference), .first = row_of(reference) };
	struct xlsx_range *grown;

	one.last = colon ? row_of(colon + 1) : one.first;
	if (one.last <= one.first || m->count == RANGES_MAX)
		return;
	grown = there(realloc(m->at, (m->count + 1) * sizeof *m->at));
	m->at = grown;
	m->at[m->count++] = one;
}

/* They stand behind the cells, which are many: looked for as bytes, not by a parser. */
void xlsx_merged_read(const struct part *sheet, struct xlsx_merged *ret)
{
	static const char mark[] = "mergeCell ";
	const char *s = sheet->bytes, *last = s + sheet->size;

	*ret = (struct xlsx_merged){ 0 };
	while ((s = memmem(s, (size_t)(last - s), mark, sizeof mark - 1))) {
		char reference[32] = "";
		const char *ref, *stop;

		s += sizeof mark - 1;
		stop = memchr(s, '>', (size_t)(last - s));
		stop = stop ? stop : last;
		ref = memmem(s, (size_t)(stop - s), "ref=", 4);
		for (size_t n = 0; ref && ref + 5 + n < stop && n < sizeof reference - 1 &&
		                   (isalnum((unsigned char)ref[5 + n]) || ref[5 + n] == ':');
		     n++)
			reference[n] = ref[5 + n];
		add(ret, reference);
	}
}

void xlsx_merged_free(struct xlsx_merged *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->at[i].text);
	free(m->at);
}

const char *xlsx_merged_text(const struct xlsx_merged *m, long column, long row)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->at[i].column == column && row > m->at[i].first && row <= m->at[i].last)
			return m->at[i].text;
	return NULL;
}

void xlsx_merged_keep(struct xlsx_merged *m, long column, long row, const char *text)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->at[i].column == column && m->at[i].first == row && !m->at[i].text)
			m->at[i].text = strdup(text);
}

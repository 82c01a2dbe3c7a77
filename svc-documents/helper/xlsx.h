/* xlsx: cells of a sheet that are merged downwards, each of which shows what the uppermost holds. */
#ifndef PARLEY_DOCUMENTS_XLSX_H
#define PARLEY_DOCUMENTS_XLSX_H

#include "svc-documents/helper/parts.h"

struct xlsx_merged {
	struct xlsx_range {
		long column, first, last; /* rows, from 1 */
		char *text;               /* NULL: not seen yet */
	} * at;
	size_t count;
};
void xlsx_merged_read(const struct part *sheet, struct xlsx_merged *ret);
void xlsx_merged_free(struct xlsx_merged *m);
/* What the cell shows, when it is a lower one; NULL. */
const char *xlsx_merged_text(const struct xlsx_merged *m, long column, long row);
/* The cell holds a text: it is remembered where it is the uppermost. */
void xlsx_merged_keep(struct xlsx_merged *m, long column, long row, const char *text);
/* "C7" is in column 2. */
long xlsx_column(const char *reference);

/* How a cell shows a number. */
struct xlsx_format {
	char kind; /* 'd' a date, 'h' a time of day, '%', 'g' as it stands; 0 a number like others */
	int digits, least, most; /* at least so many before the point; behind it */
	char prefix[40], suffix[40];
};
/* By its code ("0.00 \"kg\""), or, when that is NULL, by its number. */
void xlsx_format_read(long id, const char *code, struct xlsx_format *ret);
void xlsx_format_print(const struct xlsx_format *f, bool since_1904, const char *value, char *ret,
                       size_t size);

#endif

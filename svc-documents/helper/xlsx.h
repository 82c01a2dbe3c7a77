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

#endif

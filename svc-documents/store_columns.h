/* store_columns: what processing yields, as the arrays that statements take: "{1,2,3}" in the arena. */
#ifndef PARLEY_DOCUMENTS_STORE_COLUMNS_H
#define PARLEY_DOCUMENTS_STORE_COLUMNS_H

#include "svc-documents/store_index.h"

/* For "add_chunks": those from `from` on, before `to`. */
struct chunk_columns {
	const char *numbers, *pages, *starts, *stops, *headings, *texts;
};
void columns_of_chunks(const struct prepared *p, size_t from, size_t to, struct chunk_columns *ret,
                       struct arena *a);
const char *columns_of_terms(const struct index *x, size_t from, size_t to, struct arena *a);
/* Characters where the pages start and end. */
void columns_of_pages(const struct clean *c, const char **starts, const char **ends, struct arena *a);
/* How many characters the text has. */
int64_t columns_characters(const struct prepared *p);

#endif

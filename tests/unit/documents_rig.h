/*
 * documents_rig: svc-documents' schema for store tests (store_rig.h), and documents to try things with.
 */
#ifndef PARLEY_TESTS_DOCUMENTS_RIG_H
#define PARLEY_TESTS_DOCUMENTS_RIG_H

#include "svc-documents/store_index.h"
#include "tests/unit/store_rig.h"

/* What only these tests ask: "t_rows" and so on, see there. */
int documents_rig_open(void **state);

/* A document of Ada's with a file of two pieces. */
const char *new_document(void);
/* What processing yields, of a text of `count` words. */
struct prepared *prepare(size_t count);
/* A block that is read for its lists: "word" is in all of `chunks`. */
void assert_block(const char *id, uint32_t chunks);

#endif

/*
 * known: does a question ask what one of some known questions asks? By their words (common/text/alike.h), and by their
 * meaning where a model makes vectors; those of known questions are kept for some weeks.
 */
#ifndef PARLEY_DOCUMENTS_KNOWN_H
#define PARLEY_DOCUMENTS_KNOWN_H

#include "common/service/call.h"
#include "svc-documents/search/vectors.h"

/* The place of the one that is most alike, of several the first; -1: none is. A failure costs the meaning alone, and is
 * told to the log. */
int known_question(struct call *call, const char *asked, char *const *questions, size_t count,
                   struct question_vector *vector, double *score);

#endif

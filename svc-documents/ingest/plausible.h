/*
 * plausible: how odd a text looks that was read in an encoding which was guessed. In the wrong one capitals stand within
 * words, accents without letters, dashes beside them; in the right one hardly anything does.
 */
#ifndef PARLEY_DOCUMENTS_PLAUSIBLE_H
#define PARLEY_DOCUMENTS_PLAUSIBLE_H

#include <stddef.h>

/* How many characters beyond ASCII stand where none of their kind would. The text is UTF-8. */
size_t plausible_odd(const char *text, size_t size);

#endif

/*
 * repair: JSON as models send it, made readable: what is wrong with one character must not cost an answer.
 *
 * Bytes that are no UTF-8, NUL, escapes of halves of characters and of U+0000 become U+FFFD; NaN and infinities, which
 * Python writes for a number that is none, become null; whole numbers beyond all bounds become 0; a tab or a line end that
 * stands in a string as it is gets its escape. Everything else stays, well-formed or not.
 */
#ifndef PARLEY_CHAT_REPAIR_H
#define PARLEY_CHAT_REPAIR_H

#include "common/base/text.h"

/* Added to ret. */
void repair_json(const char *bytes, size_t size, struct text *ret);

#endif

/*
 * defuse: text from outside on its way into a prompt: what would end its quotation, or begin a message of its own for a
 * server that reads its template's tokens out of any text, is made harmless. Everything else stays as it is.
 */
#ifndef PARLEY_CHAT_DEFUSE_H
#define PARLEY_CHAT_DEFUSE_H

#include "common/base/text.h"

void defuse_text(const char *text, size_t size, struct text *ret);
/* A name: on one line, without quotes and angle brackets. */
void defuse_name(const char *name, struct text *ret);

#endif

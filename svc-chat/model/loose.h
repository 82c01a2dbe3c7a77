/*
 * loose: values that are nearly JSON, as models write them where they were taught another language's: Python's 'text', True
 * and None, names without quotes, and quotes that are marks of their own (<|"|>Paris<|"|>). JSON itself is of the kind.
 *
 * What is read becomes JSON; whoever needs to be sure has it parsed. Each byte is looked at once.
 */
#ifndef PARLEY_CHAT_LOOSE_H
#define PARLEY_CHAT_LOOSE_H

#include <stdbool.h>

#include "common/base/text.h"

/* One value from *at on, which then is behind it. False: it is none, or does not end before `end`. */
bool loose_value(const char **at, const char *end, struct text *ret);
/* The arguments of a Python call, behind its "(": "city='Paris', days=3)" becomes {"city":"Paris","days":3}. *at: behind the
 * ")". */
bool loose_arguments(const char **at, const char *end, struct text *ret);
/* Past blanks. */
const char *loose_skip(const char *at, const char *end);

#endif

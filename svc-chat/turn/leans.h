/* leans: does a question lean on what was said before it ("And in winter?")? By its words: few, or such as point back. */
#ifndef PARLEY_CHAT_LEANS_H
#define PARLEY_CHAT_LEANS_H

#include <stdbool.h>

bool leans(const char *question);

#endif

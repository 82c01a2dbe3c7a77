/* charset_names: what the names of encodings mean to browsers (WHATWG). */
#ifndef PARLEY_DOCUMENTS_CHARSET_NAMES_H
#define PARLEY_DOCUMENTS_CHARSET_NAMES_H

/* What iconv calls it, in any case; NULL: it means nothing. */
const char *charset_meaning(const char *label);

#endif

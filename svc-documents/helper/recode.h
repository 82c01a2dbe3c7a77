/* recode: other encodings within a file as UTF-8. Opened before the jail closes, since iconv loads its tables from files. */
#ifndef PARLEY_DOCUMENTS_RECODE_H
#define PARLEY_DOCUMENTS_RECODE_H

#include <stddef.h>

struct recoder;
struct recoder *recoder_open(void);
/* A name that is not known counts as Windows-1252; what does not fit becomes U+FFFD. The heap's memory. */
char *recode(struct recoder *r, const char *label, const char *bytes, size_t size, size_t *ret_size);

#endif

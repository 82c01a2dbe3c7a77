/* charset_guess: encodings by their bytes, under iconv's names. */
#ifndef PARLEY_DOCUMENTS_CHARSET_GUESS_H
#define PARLEY_DOCUMENTS_CHARSET_GUESS_H

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

enum { CHARSET_EVIDENCE = 8 /* bytes beyond ASCII: by fewer nothing can be told */ };

/* What they look like; never NULL. */
const char *charset_guess(const char *bytes, size_t size, struct arena *a);
/* Does the name make nonsense of them, where a guess makes sense? */
bool charset_lies(const char *name, const char *bytes, size_t size, struct arena *a);
/* In UTF-8. What does not fit becomes U+FFFD, counted in *lost. NULL: no such charset on this machine. */
const char *charset_convert(const char *name, const char *bytes, size_t size, size_t *ret_size, size_t *lost,
                            struct arena *a);
/* The same to *to, of which there are *left bytes, three for each: both move. unit: bytes that are passed over at once. Returns how
 * many do not fit. */
size_t charset_put(iconv_t state, size_t unit, const char *bytes, size_t size, char **to, size_t *left);
size_t charset_beyond_ascii(const char *bytes, size_t size);

#endif

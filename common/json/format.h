/*
 * format: what the rules of fields (proto/http.proto) call an e-mail address, a web address, a time.
 *
 * All are strict: what passes may go into a header, a query or a database without a second look. The text may hold
 * any bytes; none of them is written to.
 */
#ifndef PARLEY_FORMAT_H
#define PARLEY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321 without quoted names and address literals, ASCII only (so that no look-alike passes), at most 254 bytes,
 * a domain of two labels or more. */
bool format_email(const char *text, size_t length);

/* http or https, a host, perhaps a port; no credentials, spaces or control characters. At most 8,000 bytes. */
bool format_url(const char *text, size_t length);

/* RFC 3339 with a day that exists, within what PostgreSQL takes. */
bool format_time(const char *text, size_t length);

/* A word of "slack|website". */
bool format_word(const char *words, const char *text, size_t length);

/* Digits, letters, ".", "-" and "_", at most 200: what cursors are made of. */
bool format_cursor(const char *text, size_t length);

/* White space (Unicode's too) at both ends is cut off: moves *text, shortens *length. Takes valid UTF-8. */
void format_trim(const char **text, size_t *length);

/* Nothing but white space and characters that cannot be seen (joiners, marks of direction, fillers). Valid UTF-8. */
bool format_blank(const char *text, size_t length);

#endif

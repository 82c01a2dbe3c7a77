/*
 * mail: a letter as the bytes that travel (RFC 5322, MIME): a text part and an HTML part of the same; ASCII
 * as it stands, UTF-8 as quoted-printable in lines of at most 76 characters; lines ended by CRLF. Values may hold anything: a header never gets a second
 * line from one.
 */
#ifndef PARLEY_AUTH_MAIL_H
#define PARLEY_AUTH_MAIL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

struct mail {
	const char *from;     /* "Parley <parley@example.com>" or the address alone */
	const char *to;       /* an address, ASCII */
	const char *reply_to; /* an address, ASCII; NULL: the sender */
	const char *subject;  /* UTF-8 */
	const char *id;       /* names the Message-ID together with the sender's domain: same id, same mail */
	int64_t date;         /* Unix seconds */
	const char *text, *html; /* UTF-8, lines ended by LF */
};

char *mail_build(const struct mail *m, size_t *size, struct arena *a);

/* "parley@example.com" of "Parley <parley@example.com>"; NULL when there is no address in it. */
char *mail_address(const char *from, struct arena *a);

#endif

/* mail: what the head of a mail, or of a part of it, says (RFC 5322, 2045, 2047, 2231). */
#ifndef PARLEY_DOCUMENTS_MAIL_H
#define PARLEY_DOCUMENTS_MAIL_H

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/recode.h"

/* A part: its head ends at an empty line. */
struct entity {
	const char *head, *body, *last;
};

/* A field of the head, unfolded; empty when there is none. */
void mail_field(const struct entity *e, const char *name, char *ret, size_t size);
/* "charset" of `text/plain; charset="utf-8"`; empty when there is none. */
void mail_parameter(const char *value, const char *name, char *ret, size_t size);
/* A name that may come in pieces, and say its charset: as UTF-8. */
void mail_name(struct recoder *recoder, const char *value, const char *parameter, char *ret, size_t size);
/* =?utf-8?B?...?= and plain words. */
void mail_write_value(struct recoder *recoder, const char *value, struct out *o);

/* The heap's memory. in_word: of a head's encoded word, where _ is a blank. */
char *mail_base64(const char *s, size_t size, size_t *ret_size);
char *mail_quoted(const char *s, size_t size, bool in_word, size_t *ret_size);

#endif

/*
 * room: how many more small documents an owner may surely add, remembered for some seconds. Counting all that he has took
 * longer than anything else about a small upload, and the longer the more he had.
 */
#ifndef PARLEY_DOCUMENTS_ROOM_H
#define PARLEY_DOCUMENTS_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct room;
struct room *room_new(void);
void room_free(struct room *r); /* NULL is fine */

/* Takes one of those that he may add. False: it is to be counted. now: monotonic ms. Any thread. */
bool room_take(struct room *r, const char *owner, int64_t now);
/* It was: so many, of which other replicas may take their share. */
void room_note(struct room *r, const char *owner, int64_t more, int64_t now);

#endif

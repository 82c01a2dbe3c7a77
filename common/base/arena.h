/*
 * arena: the memory of one request, taken piece by piece and given back at once.
 *
 * Memory from an arena is zeroed and aligned for any type, and lives until arena_reset() or arena_done().
 * No memory at all ends the process, so none of these return NULL, but for arena_try(), which also
 * refuses what would go over the arena's limit: it serves decoders of hostile bytes.
 * An arena belongs to one thread at a time.
 */
#ifndef PARLEY_ARENA_H
#define PARLEY_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *at, *end;             /* free part of the newest block */
	size_t used, limit;         /* bytes handed out; limit 0 means none */
};

void arena_init(struct arena *a, size_t limit);
void arena_reset(struct arena *a); /* keeps one block for the next request */
void arena_done(struct arena *a);

void *arena_alloc(struct arena *a, size_t size);
void *arena_room(struct arena *a, size_t size); /* not zeroed: for bytes that are about to be written */
void *arena_try(struct arena *a, size_t size);  /* NULL when over the limit */

/* For what is large and gone through from its beginning to its end, ARENA_BULK bytes or more: arena_rest() takes what was
 * looked at out of our memory, and it comes again when somebody looks. Never for other memory, whose contents it ends. */
enum { ARENA_BULK = 1024 * 1024 };
void *arena_bulk(struct arena *a, size_t size);
void arena_rest(const void *from, const void *to);

/* arena_new(a, struct chunk, n): a zeroed array of n. */
#define arena_new(a, type, count) ((type *)arena_array(a, sizeof(type), (count)))
void *arena_array(struct arena *a, size_t size, size_t count); /* aborts on overflow */

void *arena_memdup(struct arena *a, const void *bytes, size_t size); /* NUL-terminated too */
char *arena_strdup(struct arena *a, const char *text);               /* NULL stays NULL */
char *arena_strndup(struct arena *a, const char *text, size_t length);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#endif

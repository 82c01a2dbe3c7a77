#include "common/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALLEST = 1024, MALLOC_OVERHEAD = 16, BLOCK_SIZE = 16 * 1024, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t mapped; /* bytes, of one that is shared memory; else 0 */
	_Alignas(ALIGNMENT) char bytes[];
};

/* Blocks grow from little on: most arenas that live for long (a stream's, a waiting call's) need no more. */
enum { FIRST_SIZE = SMALLEST - MALLOC_OVERHEAD - sizeof(struct arena_block) };

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){ .limit = limit };
}

static void free_block(struct arena_block *b)
{
	if (b->mapped)
		munmap(b, b->mapped);
	else
		free(b);
}

void arena_reset(struct arena *a)
{
	/* What is being filled is the newest, and the largest but for single pieces. */
	struct arena_block *keep = a->at ? a->blocks : NULL;

	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		if (b != keep)
			free_block(b);
	}
	*a = (struct arena){ .blocks = keep, .limit = a->limit };
	if (keep) {
		keep->next = NULL;
		a->at = keep->bytes;
		a->end = keep->bytes + keep->size;
	}
}

void arena_done(struct arena *a)
{
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free_block(b);
	}
	*a = (struct arena){ 0 };
}

static struct arena_block *new_block(size_t room)
{
	struct arena_block *b = malloc(sizeof *b + room);

	if (!b) {
		fputs("out of memory\n", stderr);
		abort();
	}
	b->size = room;
	b->mapped = 0;
	return b;
}

static void add_large(struct arena *a, struct arena_block *b)
{
	b->next = a->blocks ? a->blocks->next : NULL;
	if (a->blocks)
		a->blocks->next = b;
	else
		a->blocks = b;
}

/* A large piece gets a block of its own, behind the newest, which goes on being filled. */
static void *take_large(struct arena *a, size_t size)
{
	struct arena_block *b = new_block(size);

	add_large(a, b);
	return b->bytes;
}

/* The next block to be filled, with room for a piece of that size. */
static void add_block(struct arena *a, size_t size)
{
	size_t last = a->at ? a->blocks->size : 0;
	size_t room = last ? last * 2 : FIRST_SIZE;
	struct arena_block *b;

	while (room < size)
		room *= 2;
	b = new_block(room < BLOCK_SIZE / 2 ? room : BLOCK_SIZE);
	b->next = a->blocks;
	a->blocks = b;
	a->at = b->bytes;
	a->end = b->bytes + b->size;
}

static void *take(struct arena *a, size_t size)
{
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *piece;

	if (rounded < size)
		abort(); /* a size near SIZE_MAX is a bug of the caller */
	a->used += rounded;
	if (rounded > BLOCK_SIZE / 4 && rounded > (size_t)(a->end - a->at))
		return take_large(a, rounded);
	if (rounded > (size_t)(a->end - a->at))
		add_block(a, rounded);
	piece = a->at;
	a->at += rounded;
	return piece;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size ? size : 1), 0, size);
}

void *arena_room(struct arena *a, size_t size)
{
	return take(a, size ? size : 1);
}

void *arena_try(struct arena *a, size_t size)
{
	if (a->limit && (size > a->limit || a->used > a->limit - size))
		return NULL;
	return memset(take(a, size ? size : 1), 0, size);
}

/* Shared memory keeps what is in it when no process has its pages. */
void *arena_bulk(struct arena *a, size_t size)
{
	size_t whole = sizeof(struct arena_block) + size;
	struct arena_block *b;

	if (size < ARENA_BULK || whole < size)
		return arena_alloc(a, size);
	b = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b == MAP_FAILED) {
		fputs("out of memory\n", stderr);
		abort();
	}
	b->size = size;
	b->mapped = whole;
	a->used += size;
	add_large(a, b);
	return b->bytes;
}

void arena_rest(const void *from, const void *to)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = ((uintptr_t)from + page - 1) / page * page, end = (uintptr_t)to / page * page;

	if (end > start)
		(void)madvise((void *)start, end - start, MADV_DONTNEED);
}

void *arena_array(struct arena *a, size_t size, size_t count)
{
	size_t bytes;

	if (__builtin_mul_overflow(size, count, &bytes))
		abort();
	return arena_alloc(a, bytes);
}

void *arena_memdup(struct arena *a, const void *bytes, size_t size)
{
	char *copy = arena_room(a, size + 1);

	if (size)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
	return text ? arena_memdup(a, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *a, const char *text, size_t length)
{
	return arena_memdup(a, text, length ? strnlen(text, length) : 0);
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
	char short_one[128], *text;
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(short_one, sizeof short_one, format, again);
	va_end(again);
	if (length < 0)
		abort();                       /* a broken format is a bug */
	if ((size_t)length < sizeof short_one) /* as most are: formatted once */
		return arena_memdup(a, short_one, (size_t)length);
	text = arena_alloc(a, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, args);
	return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(a, format, args);
	va_end(args);
	return text;
}

/* links: gateway/multipart.c */
/*
 * multipart: the first line of the input is the Content-Type, the rest the body; the second byte says in what pieces it
 * comes. The same body in other pieces must give the same parts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/multipart.h"

struct source {
	const uint8_t *bytes;
	size_t left, piece;
};

static int read_source(void *arg, void *bytes, size_t room, size_t *got, struct error *err)
{
	struct source *s = arg;

	(void)err;
	*got = s->left < s->piece ? s->left : s->piece;
	if (*got > room)
		*got = room;
	memcpy(bytes, s->bytes, *got);
	s->bytes += *got;
	s->left -= *got;
	return 0;
}

/* A sum over all that was parsed: parts, names and content. */
static uint64_t parse(const char *type, struct source source)
{
	struct multipart m;
	struct multipart_part part;
	struct error err = { 0 };
	struct arena a;
	unsigned char bytes[512];
	uint64_t sum = 1;
	size_t got;

	arena_init(&a, 0);
	if (multipart_init(&m, type, read_source, &source, &a, &err) < 0)
		goto done;
	while (multipart_next(&m, &part, &err) == 1) {
		sum = sum * 31 + strlen(part.name) + (part.file_name ? strlen(part.file_name) : 7);
		while (multipart_read(&m, bytes, sizeof bytes, &got, &err) == 0 && got)
			for (size_t i = 0; i < got; i++)
				sum = sum * 31 + bytes[i];
		sum *= 37;
	}
done:
	arena_done(&a);
	return sum * 41 + (uint64_t)err.code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	struct source whole;
	char type[256];

	if (!line || (size_t)(line - data) >= sizeof type)
		return 0;
	memcpy(type, data, (size_t)(line - data));
	type[line - data] = '\0';
	whole = (struct source){ line + 1, size - (size_t)(line + 1 - data), SIZE_MAX };
	if (parse(type, whole) != parse(type, (struct source){ whole.bytes, whole.left, 1 + data[0] % 61 }))
		abort();
	return 0;
}

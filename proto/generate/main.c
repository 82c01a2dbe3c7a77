#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/generate/generate.h"

static void complain(const char *where, const char *format, va_list args)
{
	fprintf(stderr, "proto: %s%s", where ? where : "", where ? ": " : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void mistake(struct model *m, const char *where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(where, format, args);
	va_end(args);
	m->mistakes++;
}

_Noreturn void stop(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(NULL, format, args);
	va_end(args);
	exit(1);
}

/* The whole file, NUL-terminated; NULL when it cannot be opened. */
static char *read_file(const char *path, size_t *size, struct arena *a)
{
	FILE *file = fopen(path, "rb");
	struct text t;
	char piece[65536];
	size_t n;

	if (!file)
		return NULL;
	text_init(&t, a);
	while ((n = fread(piece, 1, sizeof piece, file)) > 0)
		text_add(&t, piece, n);
	if (ferror(file))
		stop("%s cannot be read", path);
	fclose(file);
	*size = t.length;
	return t.at;
}

void write_file(const char *dir, const char *name, const struct text *content)
{
	const char *path = arena_printf(content->arena, "%s/%s", dir, name);
	size_t size = 0;
	const char *old = read_file(path, &size, content->arena);
	FILE *file;

	if (old && size == content->length && !memcmp(old, content->at, size))
		return;
	file = fopen(path, "wb");
	if (!file || fwrite(content->at, 1, content->length, file) != content->length || fclose(file))
		stop("%s cannot be written", path);
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct model m = { .arena = &arena };
	size_t size = 0;
	const char *set;

	if (argc != 5) {
		fprintf(stderr, "usage: %s DESCRIPTOR_SET OPENAPI_SKELETON EXAMPLES DIRECTORY\n", argv[0]);
		return 2;
	}
	arena_init(&arena, 0);
	set = read_file(argv[1], &size, &arena);
	if (!set)
		stop("%s cannot be opened", argv[1]);
	model_load(&m, set, size);
	check_model(&m);
	if (!m.mistakes)
		emit_openapi(&m, argv[2], argv[3], argv[4]);
	if (m.mistakes)
		return 1;
	for (size_t i = 0; i < m.contract_count; i++) {
		emit_client(&m, &m.contracts[i], argv[4]);
		if (!same(m.contracts[i].name, "rpc")) /* its methods are answered by the skeleton */
			emit_methods(&m, &m.contracts[i], argv[4]);
	}
	emit_services(&m, argv[4]);
	emit_shapes(&m, argv[4]);
	emit_routes(&m, argv[4]);
	arena_done(&arena);
	return 0;
}

#include <stdlib.h>

#include "proto/generate/generate.h"

static int by_port(const void *a, const void *b)
{
	const struct contract *const *x = a, *const *y = b;

	return (*x)->service->port - (*y)->service->port;
}

/* Those that are processes, in the order of their ports: Rpc is answered by each of them. */
static size_t processes(const struct model *m, const struct contract **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < m->contract_count; i++)
		if (!same(m->contracts[i].name, "rpc"))
			ret[n++] = &m->contracts[i];
	qsort(ret, n, sizeof *ret, by_port);
	return n;
}

void emit_services(const struct model *m, const char *dir)
{
	const struct contract **all = arena_new(m->arena, const struct contract *, m->contract_count);
	size_t count = processes(m, all);
	struct text header, source;

	text_init(&header, m->arena);
	text_init(&source, m->arena);
	text_addf(&header,
	          "/* Made by proto/generate from the contracts. */\n#ifndef GEN_SERVICES_H\n"
	          "#define GEN_SERVICES_H\n\n#include \"common/rpc/contract.h\"\n\nenum { SERVICES = %zu };\n"
	          "extern const struct service_place services[SERVICES];\n\n#endif\n",
	          count);
	text_adds(&source, "/* Made by proto/generate from the contracts. */\n#include \"services.h\"\n\n"
	                   "const struct service_place services[SERVICES] = {\n");
	for (size_t i = 0; i < count; i++)
		text_addf(&source, "\t{ \"%s\", %d },\n", all[i]->name, all[i]->service->port);
	text_adds(&source, "};\n");
	write_file(dir, "services.h", &header);
	write_file(dir, "services.c", &source);
}

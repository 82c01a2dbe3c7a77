#include "proto/generate/generate.h"

void emit_openapi(const struct model *m, const char *dir)
{
	struct text t;

	text_init(&t, m->arena);
	text_adds(
	    &t,
	    "{\"openapi\": \"3.1.0\", \"info\": {\"title\": \"Parley\", \"version\": \"0\"}, \"paths\": {}}\n");
	write_file(dir, "openapi.json", &t);
}

/*
 * What a model sends: server-sent events, completions in them, and citations in their text. The first byte says into
 * pieces of which size the rest is cut; however it is cut, the same text comes out.
 */
/* links: svc-chat/model/completion.c svc-chat/model/calls.c svc-chat/model/extent.c svc-chat/model/complaint.c svc-chat/model/pause.c svc-chat/model/repair.c svc-chat/model/think.c svc-chat/model/citations.c svc-chat/model/citations_judge.c svc-chat/model/mark.c svc-chat/model/markdown.c svc-chat/model/markdown_lines.c -lunistring */
#include <stdlib.h>
#include <string.h>

#include "common/egress/sse_reader.h"
#include "common/json/json.h"
#include "svc-chat/model/citations.h"
#include "svc-chat/model/completion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct arena *arena;
	struct citations citations;
	struct text out;
	int failed;
};

static int on_event(void *arg, const struct sse_event *event)
{
	struct reading *r = arg;
	struct completion c;

	if (!completion_read(event->data, event->size, &c, r->arena))
		return 0;
	if (c.failed)
		return r->failed = 1;
	if (c.text && !utf8_valid(c.text, strlen(c.text)))
		abort();
	if (c.text)
		citations_feed(&r->citations, c.text, strlen(c.text), &r->out);
	return c.done;
}

static char *read_in_pieces(const char *bytes, size_t size, size_t piece, struct arena *a)
{
	struct reading r = { .arena = a };
	struct sse_reader reader;
	struct error err = { 0 };

	citations_init(&r.citations, 3);
	text_init(&r.out, a);
	sse_reader_init(&reader, 4096, on_event, &r);
	for (size_t at = 0; at < size; at += piece)
		if (sse_reader_feed(&reader, bytes + at, size - at < piece ? size - at : piece, &err))
			break;
	sse_reader_done(&reader);
	citations_end(&r.citations, &r.out);
	if (r.citations.count > 3)
		abort();
	return r.out.at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct complaint complaint;
	struct arena a;

	if (size < 2)
		return 0;
	arena_init(&a, 0);
	if (strcmp(read_in_pieces((const char *)data + 1, size - 1, size, &a),
	           read_in_pieces((const char *)data + 1, size - 1, 1 + data[0] % 64, &a)) != 0)
		abort();
	complaint_read(400, (const char *)data, size, &complaint, &a);
	if (!utf8_valid(complaint_words(&complaint, "", &a), strlen(complaint_words(&complaint, "", &a))))
		abort();
	arena_done(&a);
	return 0;
}

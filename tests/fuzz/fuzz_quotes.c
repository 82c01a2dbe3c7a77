/*
 * The builtin answerer over any question and passage (what stands before and after the first NUL): however odd they are,
 * it says something, in whole characters when it was given such, and cites nothing but the passage.
 */
/* links: svc-chat/model/builtin.c svc-chat/model/blocks.c svc-chat/model/blocks_titles.c svc-chat/model/blocks_tables.c svc-chat/model/choose.c svc-chat/model/scene.c svc-chat/model/asked.c svc-chat/model/measures.c svc-chat/model/phrases.c svc-chat/model/citations.c svc-chat/model/citations_judge.c svc-chat/model/mark.c svc-chat/model/markdown.c svc-chat/model/markdown_lines.c -lunistring */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/json.h"
#include "svc-chat/model/citations.h"
#include "svc-chat/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, const char *bytes, size_t size)
{
	if (!size)
		abort();
	text_add(arg, bytes, size);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *p = model_builtin();
	atomic_bool no = false;
	struct model_result result = { 0 };
	struct citations citations;
	struct error err = { 0 };
	struct text said, filtered;
	struct passage passage;
	struct model_request request = { .welcome = "",
		                         .passages = &passage,
		                         .passage_count = 1,
		                         .has_documents = true,
		                         .cancelled = &no };
	struct arena a;
	size_t length;

	arena_init(&a, 0);
	request.question = arena_strndup(&a, (const char *)data, size);
	length = strlen(request.question);
	passage = (struct passage){ .text = arena_strndup(&a, (const char *)data + length + (length < size),
		                                          size - length - (length < size)) };
	text_init(&said, &a);
	text_init(&filtered, &a);
	if (p->answer(p, &request, &(struct model_sink){ take, take, &said }, &result, &a, &err) < 0 ||
	    !said.length)
		abort();
	if (utf8_valid(request.question, length) && utf8_valid(passage.text, strlen(passage.text)) &&
	    !utf8_valid(said.at, said.length))
		abort();
	citations_init(&citations, 1);
	citations_feed(&citations, said.at, said.length, &filtered);
	citations_end(&citations, &filtered);
	if (citations.count > 1)
		abort();
	arena_done(&a);
	return 0;
}

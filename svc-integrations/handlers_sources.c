/* Where the sources below an answer in Slack lead. */
#include <string.h>

#include "common/base/query.h"
#include "integrations.methods.h"
#include "svc-integrations/page.h"
#include "svc-integrations/slack/sources.h"

static void add_source(struct text *html, size_t n, const Documents__Source *source)
{
	text_addf(html, "<section id=\"%zu\"><h2>[%zu] ", n, n);
	page_add_text(html, source->document_name ? source->document_name : "");
	if (source->page > 0)
		text_addf(html, ", page %d", (int)source->page);
	text_adds(html, "</h2>\n<blockquote>");
	page_add_text(html, source->text ? source->text : "");
	text_adds(html, "</blockquote></section>\n");
}

static int say(struct call *call, int status, const char *said, const char *below, Rpc__RawReply *out)
{
	return page_reply(
	    call, &(struct page){ .status = status, .title = "Sources", .said = said, .below = below }, out);
}

int integrations_show_slack_sources(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct query q = query_start(in->query ? in->query : "", call->arena);
	const char *name, *value, *token = "";
	Chat__Message *answer;
	struct text list;
	int found;

	while (query_next(&q, &name, &value))
		if (value && strcmp(name, "of") == 0)
			token = value;
	found = slack_sources_find(call, token, &answer);
	if (found <= 0)
		return found < 0 ? -1
		                 : say(call, 404, "These are not shown any more. Ask the question again.",
		                       NULL, out);
	text_init(&list, call->arena);
	text_adds(&list, "");
	for (size_t i = 0; i < answer->n_sources; i++)
		add_source(&list, i + 1, answer->sources[i]);
	return say(call, 200, "The answer was made of these passages.", list.at, out);
}

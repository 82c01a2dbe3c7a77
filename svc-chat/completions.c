#include "svc-chat/completions.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/json/json_write.h"
#include "common/stream/stream.h"
#include "shapes.h"

/* --- Whole --------------------------------------------------------------------------------------------------------------- */

static const char *finish_reason(const char *finish)
{
	if (finish && strcmp(finish, "length") == 0)
		return "length";
	return finish && strcmp(finish, "filtered") == 0 ? "content_filter" : "stop";
}

static void add_usage(const struct ask *r, Chat__Completion *out, struct arena *a)
{
	Chat__CompletionUsage *usage = arena_new(a, Chat__CompletionUsage, 1);

	chat__completion_usage__init(usage);
	usage->has_prompt_tokens = usage->has_completion_tokens = usage->has_total_tokens = true;
	usage->prompt_tokens = r->usage.prompt_tokens;
	usage->completion_tokens = r->usage.completion_tokens;
	usage->total_tokens = usage->prompt_tokens + usage->completion_tokens;
	out->usage = usage;
}

static void add_choice(const struct unstored *c, Chat__Completion *out)
{
	Chat__CompletionChoice *choice = arena_new(c->arena, Chat__CompletionChoice, 1);
	Chat__CompletionAnswer *answer = arena_new(c->arena, Chat__CompletionAnswer, 1);

	chat__completion_choice__init(choice);
	chat__completion_answer__init(answer);
	answer->role = (char *)"assistant";
	answer->content = c->content.at;
	answer->reasoning_content = c->reasoning.length ? c->reasoning.at : NULL;
	choice->has_index = true;
	choice->message = answer;
	choice->finish_reason = (char *)finish_reason(c->ask.result.finish);
	out->choices = arena_new(c->arena, Chat__CompletionChoice *, 1);
	out->choices[out->n_choices++] = choice;
}

static void describe(const struct unstored *c, Chat__Completion *out)
{
	char id[UUID_TEXT];

	uuid_make(id);
	chat__completion__init(out);
	out->id = arena_printf(c->arena, "chatcmpl-%s", id);
	out->object = (char *)"chat.completion";
	out->has_created = true;
	out->created = clock_unix_ms() / 1000;
	out->model = (char *)c->model;
	add_choice(c, out);
	add_usage(&c->ask, out, c->arena);
	out->sources = ask_sources(&c->ask, &out->n_sources);
	out->citations = arena_new(c->arena, char *, out->n_sources + 1);
	for (size_t i = 0; i < out->n_sources; i++)
		out->citations[out->n_citations++] = out->sources[i]->document_name;
}

static ProtobufCMessage *whole(const struct unstored *c)
{
	Chat__CompletionReply *reply = arena_new(c->arena, Chat__CompletionReply, 1);

	chat__completion_reply__init(reply);
	reply->completion = arena_new(c->arena, Chat__Completion, 1);
	describe(c, reply->completion);
	return &reply->base;
}

/* --- In chunks ---------------------------------------------------------------------------------------------------------- */

static void begin_chunks(struct unstored *c)
{
	char id[UUID_TEXT];
	struct text head;

	uuid_make(id);
	text_init(&head, c->arena);
	text_addf(&head,
	          "{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion.chunk\",\"created\":%" PRId64
	          ",\"model\":",
	          id, clock_unix_ms() / 1000);
	text_add_json(&head, c->model, strlen(c->model));
	c->head = head.at;
	stream_append(c->stream, "chunk",
	              arena_printf(c->arena,
	                           "%s,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
	                           "\"content\":\"\"},\"finish_reason\":null}]}",
	                           c->head));
}

static void add_piece(const struct unstored *c, bool thought, const char *bytes, size_t size)
{
	struct arena a;
	struct text t;

	arena_init(&a, 0);
	text_init(&t, &a);
	text_addf(&t, "%s,\"choices\":[{\"index\":0,\"delta\":{\"%s\":", c->head,
	          thought ? "reasoning_content" : "content");
	text_add_json(&t, bytes, size);
	text_adds(&t, "},\"finish_reason\":null}]}");
	stream_append(c->stream, "chunk", t.at);
	arena_done(&a);
}

static void end_chunks(const struct unstored *c)
{
	Chat__Completion whole;
	struct text t;

	describe(c, &whole);
	text_init(&t, c->arena);
	text_addf(&t, "%s,\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}],\"citations\":",
	          c->head, whole.choices[0]->finish_reason);
	json_from_field(&t, &shape_chat__completion, &whole.base, "citations");
	text_adds(&t, ",\"sources\":");
	json_from_field(&t, &shape_chat__completion, &whole.base, "sources");
	text_addc(&t, '}');
	stream_append(c->stream, "chunk", t.at);
	if (!c->tells_usage)
		return;
	text_init(&t, c->arena);
	text_addf(&t, "%s,\"choices\":[],\"usage\":", c->head);
	json_from_field(&t, &shape_chat__completion, &whole.base, "usage");
	text_addc(&t, '}');
	stream_append(c->stream, "chunk", t.at);
}

static void tell_error(const struct unstored *c, const char *sentence)
{
	struct text t;

	text_init(&t, c->arena);
	text_adds(&t, "{\"error\":{\"message\":");
	text_add_json(&t, sentence, strlen(sentence));
	text_adds(&t, ",\"type\":\"server_error\",\"param\":null,\"code\":null}}");
	stream_append(c->stream, "error", t.at);
}

const struct unstored_form completions = {
	.whole = whole,
	.begin = begin_chunks,
	.piece = add_piece,
	.end = end_chunks,
	.fail = tell_error,
};

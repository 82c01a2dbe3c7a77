#include "svc-chat/export.h"

#include <inttypes.h>
#include <string.h>

#include "common/json/json_write.h"
#include "shapes.h"
#include "svc-chat/turn/events.h"

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void add_member(struct text *out, const char *name, const char *value)
{
	text_addf(out, "\"%s\":", name);
	if (value)
		text_add_json(out, value, strlen(value));
	else
		text_adds(out, "null");
	text_addc(out, ',');
}

static void begin_json(const struct export_head *head, struct text *out)
{
	text_addc(out, '{');
	if (head->number) {
		text_addf(out, "\"id\":%" PRId64 ",", head->number);
	} else {
		add_member(out, "id", head->id);
		add_member(out, "chatbotId", head->chatbot_id);
	}
	add_member(out, "title", head->title);
	add_member(out, "createdAt", head->created_at);
	add_member(out, "updatedAt", head->updated_at);
	if (head->visitor_name)
		add_member(out, "visitorName", head->visitor_name);
	if (head->visitor_email)
		add_member(out, "visitorEmail", head->visitor_email);
	text_adds(out, "\"messages\":[");
}

static void message_json(const struct export_head *head, const Chat__Message *m, struct text *out)
{
	Chat__ChatMessage numbered;

	if (!head->number) {
		json_from_message(out, &shape_chat__message, &m->base);
		return;
	}
	events_for_chat(m, &numbered);
	json_from_message(out, &shape_chat__chat_message, &numbered.base);
}

/* --- Markdown ------------------------------------------------------------------------------------------------------- */

/* On one line, so that it can be a heading or stand in a list. */
static void add_line(struct text *out, const char *words)
{
	for (const char *p = words; *p; p++)
		text_addc(out, *p == '\n' || *p == '\r' ? ' ' : *p);
}

static void begin_markdown(const struct export_head *head, struct text *out)
{
	text_adds(out, "# ");
	add_line(out, head->title && *head->title ? head->title : "Conversation");
	text_addf(out, "\n\n*%.10s*\n", head->created_at ? head->created_at : "");
	if (head->visitor_name || head->visitor_email) {
		text_adds(out, "\nVisitor: ");
		add_line(out, head->visitor_name ? head->visitor_name : "");
		if (head->visitor_email) {
			text_adds(out, head->visitor_name ? " <" : "<");
			add_line(out, head->visitor_email);
			text_addc(out, '>');
		}
		text_addc(out, '\n');
	}
}

static void sources_markdown(const Chat__Message *m, struct text *out)
{
	if (m->n_sources)
		text_adds(out, "\n\nSources:\n");
	for (size_t i = 0; i < m->n_sources; i++) {
		const Documents__Source *s = m->sources[i];

		text_addf(out, "\n%zu. ", i + 1);
		add_line(out, s->document_name ? s->document_name : "");
		if (s->has_page)
			text_addf(out, ", page %d", s->page);
		text_adds(out, ": \xe2\x80\x9c");
		add_line(out, s->text ? s->text : "");
		text_adds(out, "\xe2\x80\x9d");
	}
}

/* Of an answer that is not what it would have become. */
static const char *remark(const Chat__Message *m)
{
	switch (m->status) {
	case CHAT__MESSAGE_STATUS__GENERATING:
	case CHAT__MESSAGE_STATUS__QUEUED:
	case CHAT__MESSAGE_STATUS__WAITING: return "still being written";
	case CHAT__MESSAGE_STATUS__STOPPED: return "stopped";
	case CHAT__MESSAGE_STATUS__INTERRUPTED: return "interrupted";
	case CHAT__MESSAGE_STATUS__FAILED: return "failed";
	default: return NULL;
	}
}

static void message_markdown(const Chat__Message *m, struct text *out)
{
	bool asks = strcmp(m->role, "user") == 0;

	text_addf(out, "\n## %s \xc2\xb7 %.10s %.5s\n\n", asks ? "Question" : "Answer", m->created_at,
	          strlen(m->created_at) > 16 ? m->created_at + 11 : "");
	text_adds(out, m->content);
	if (!asks && remark(m))
		text_addf(out, "%s*(%s)*", *m->content ? "\n\n" : "", remark(m));
	sources_markdown(m, out);
	text_addc(out, '\n');
}

/* --- Either --------------------------------------------------------------------------------------------------------- */

void export_begin(enum export_format format, const struct export_head *head, struct text *out)
{
	if (format == EXPORT_JSON)
		begin_json(head, out);
	else
		begin_markdown(head, out);
}

void export_message(enum export_format format, const struct export_head *head, const Chat__Message *m,
                    bool first, struct text *out)
{
	if (format == EXPORT_MARKDOWN) {
		message_markdown(m, out);
		return;
	}
	text_adds(out, first ? "\n" : ",\n");
	message_json(head, m, out);
}

void export_end(enum export_format format, struct text *out)
{
	if (format == EXPORT_JSON)
		text_adds(out, "\n]}\n");
}

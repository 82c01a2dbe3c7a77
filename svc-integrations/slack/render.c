#include "svc-integrations/slack/render.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/text.h"
#include "common/base/utf8.h"

enum {
	PART = 10000,      /* bytes of one message's markdown; Slack takes 12,000 characters */
	PREVIEW = 3000,    /* bytes of a message's plain text */
	SOURCES_SHOWN = 8, /* Slack takes 10 elements of a context block */
	NAME_SHOWN = 200,
	LINK_MOST = 1000,
};

/* --- Defusing ------------------------------------------------------------------------------------------------------- */

static void add_safe(struct text *out, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] == '<')
			text_adds(out, "&lt;");
		else if (bytes[i] == '>')
			text_adds(out, "&gt;");
		else if (bytes[i] == '&')
			text_adds(out, "&amp;");
		else
			text_addc(out, bytes[i]);
}

char *slack_escape(const char *text, struct arena *a)
{
	struct text out;

	text_init(&out, a);
	text_adds(&out, "");
	add_safe(&out, text, strlen(text));
	return out.at;
}

/* "[words](address)" at this place: its end, or NULL. */
static const char *link_end(const char *at, const char **words_end, const char **address)
{
	const char *close = *at == '[' ? strpbrk(at + 1, "]\n") : NULL;

	if (!close || close[0] != ']' || close[1] != '(')
		return NULL;
	*words_end = close;
	*address = close + 2;
	close = strpbrk(*address, ")\n");
	return close && *close == ')' ? close + 1 : NULL;
}

/* Quotation marks of Markdown at the start of a line stay: "> said". */
static size_t quote_marks(const char *line)
{
	size_t n = strspn(line, " ");

	return n <= 3 && line[n] == '>' ? n + 1 : 0;
}

char *slack_defuse(const char *markdown, struct arena *a)
{
	bool line_start = true;
	struct text out;

	text_init(&out, a);
	text_adds(&out, "");
	while (*markdown) {
		const char *words_end, *address, *end = link_end(markdown, &words_end, &address);
		size_t marks = line_start ? quote_marks(markdown) : 0;

		if (marks) {
			text_add(&out, markdown, marks);
			markdown += marks;
		} else if (end) { /* words, and where they lead */
			add_safe(&out, markdown + 1, (size_t)(words_end - markdown - 1));
			text_adds(&out, " (");
			add_safe(&out, address, (size_t)(end - 1 - address));
			text_addc(&out, ')');
			markdown = end;
		} else {
			/* Whatever else would be a link: brackets in brackets, over two lines, "[name]: address". */
			if ((*markdown == '(' || *markdown == ':') && out.length &&
			    out.at[out.length - 1] == ']')
				text_addc(&out, ' ');
			add_safe(&out, markdown++, 1);
		}
		line_start = markdown[-1] == '\n';
	}
	return out.at;
}

/* --- Parts ---------------------------------------------------------------------------------------------------------- */

/* How much of text goes into one part: up to a blank line, a line's end, a blank, or at least a whole character. */
static size_t part_of(const char *text, size_t most)
{
	static const char *const borders[] = { "\n\n", "\n", " " };
	size_t length = strlen(text);

	if (length <= most)
		return length;
	for (size_t i = 0; i < sizeof borders / sizeof *borders; i++)
		for (size_t at = most; at > most / 2; at--)
			if (strncmp(text + at, borders[i], strlen(borders[i])) == 0)
				return at;
	return utf8_clip(text, length, most);
}

/* How much of an answer that is being written can be shown already: whole words, and no link that is not whole. */
static size_t whole_of(const char *markdown)
{
	size_t line = 0, end = 0;

	for (size_t i = 0; markdown[i]; i++) {
		if (markdown[i] == '\n')
			line = i + 1;
		if (markdown[i] == '\n' || markdown[i] == ' ')
			end = i + 1;
	}
	for (size_t i = line; i < end; i++) {
		const char *close = markdown[i] == '[' ? strchr(markdown + i, ']') : NULL;

		/* "[1] " is a citation; "[words](" goes on */
		if (markdown[i] == '[' && (!close || close + 1 >= markdown + end || close[1] == '('))
			return i;
	}
	return end;
}

/* "|" would end an address. */
static bool is_address(const char *url)
{
	return url && strlen(url) <= LINK_MOST && !strpbrk(url, "<>|\" \n") &&
	       (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
}

static void add_name(struct text *line, const char *url, const char *name)
{
	bool links = is_address(url);

	if (links) {
		text_addc(line, '<');
		add_safe(line, url, strlen(url));
		text_addc(line, '|');
	}
	for (size_t i = 0, most = part_of(name, NAME_SHOWN); i < most; i++)
		add_safe(line, links && name[i] == '|' ? "/" : name + i, 1);
	if (links)
		text_addc(line, '>');
}

static void add_sources(struct text *blocks, const Chat__Message *reply, const char *page, struct arena *a)
{
	size_t shown = reply->n_sources < SOURCES_SHOWN ? reply->n_sources : SOURCES_SHOWN;

	if (shown == 0)
		return;
	text_adds(blocks, ",{\"type\":\"context\",\"elements\":[");
	for (size_t i = 0; i < shown; i++) {
		const Documents__Source *source = reply->sources[i];
		const char *name = source->document_name ? source->document_name : "";
		struct text line;

		text_init(&line, a);
		text_addf(&line, "[%zu] ", i + 1);
		add_name(&line,
		         page && !is_address(source->url) ? arena_printf(a, "%s#%zu", page, i + 1)
		                                          : source->url,
		         name);
		if (source->page > 0)
			text_addf(&line, ", page %d", (int)source->page);
		text_adds(blocks, i ? ",{\"type\":\"mrkdwn\",\"text\":" : "{\"type\":\"mrkdwn\",\"text\":");
		text_add_json(blocks, line.at, line.length);
		text_addc(blocks, '}');
	}
	text_adds(blocks, "]}");
}

/* Somebody of flesh and blood will see it. */
static void add_handover(struct text *blocks, const Chat__Message *reply)
{
	if (reply->handover)
		text_adds(blocks, ",{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":"
		                  "\"A person has been told of this conversation.\"}]}");
}

/* Slack's own element for it; what is sent back says which answer it is. */
static void add_thumbs(struct text *blocks, const Chat__Message *m)
{
	if (!m->session_id || !m->id)
		return;
	text_addf(blocks,
	          ",{\"type\":\"context_actions\",\"elements\":[{\"type\":\"feedback_buttons\","
	          "\"action_id\":\"" SLACK_RATE "\",\"positive_button\":{\"text\":{\"type\":\"plain_text\","
	          "\"text\":\"Good answer\"},\"value\":\"up %s %s\"},\"negative_button\":{\"text\":"
	          "{\"type\":\"plain_text\",\"text\":\"Bad answer\"},\"value\":\"down %s %s\"}}]}",
	          m->session_id, m->id, m->session_id, m->id);
}

const char *slack_stop_block(const char *session, const char *message, struct arena *a)
{
	return arena_printf(
	    a,
	    "{\"type\":\"actions\",\"elements\":[{\"type\":\"button\",\"action_id\":\"" SLACK_STOP
	    "\",\"text\":{\"type\":\"plain_text\",\"text\":\"Stop\"},\"value\":\"stop %s %s\"}]}",
	    session, message);
}

const char *slack_render_so_far(const char *markdown, struct arena *a)
{
	const char *safe = slack_defuse(arena_strndup(a, markdown, whole_of(markdown)), a);

	return arena_strndup(a, safe, part_of(safe, PART));
}

struct slack_post *slack_render(const Chat__Message *reply, const char *page, size_t *count, struct arena *a)
{
	const char *rest = slack_defuse(reply->content ? reply->content : "", a);
	struct slack_post *posts = arena_new(a, struct slack_post, strlen(rest) / (PART / 2) + 2);

	*count = 0;
	do {
		size_t size = part_of(rest, PART);
		const char *markdown = size ? arena_strndup(a, rest, size) : " ";
		struct text blocks, below;

		text_init(&below, a);
		text_adds(&below, "");
		if (!rest[size]) {
			add_sources(&below, reply, page, a);
			add_handover(&below, reply);
			add_thumbs(&below, reply);
		}
		text_init(&blocks, a);
		text_adds(&blocks, "[{\"type\":\"markdown\",\"text\":");
		text_add_json(&blocks, markdown, strlen(markdown));
		text_addf(&blocks, "}%s]", below.at);
		posts[*count] = (struct slack_post){
			.text = arena_strndup(a, rest,
			                      part_of(rest, PREVIEW) < size ? part_of(rest, PREVIEW) : size),
			.blocks = blocks.at,
			.markdown = markdown,
			.below = below.length ? arena_printf(a, "[%s]", below.at + 1) : NULL,
		};
		(*count)++;
		rest += size;
		rest += strspn(rest, "\n");
	} while (*rest);
	return posts;
}

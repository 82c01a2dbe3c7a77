#include <ctype.h>
#include <string.h>

#include "proto/generate/generate.h"

/* A line that must start on its own: of a list, a table or indented text. */
static bool stands_alone(const char *line, size_t length)
{
	return !length || strchr("-*|#>\t", line[0]) || (length > 1 && line[0] == ' ' && line[1] == ' ') ||
	       (isdigit((unsigned char)line[0]) && length > 1 && line[1] == '.');
}

/* Lines of a paragraph are joined; empty lines, lists and tables stay as they are. */
static void unwrap(struct text *out, const char *comment)
{
	bool open = false; /* the last line may be continued */

	while (comment && *comment) {
		const char *end = strchrnul(comment, '\n');
		const char *line = *comment == ' ' ? comment + 1 : comment;
		size_t length = (size_t)(end - line);
		bool alone = stands_alone(line, length);

		while (length && isspace((unsigned char)line[length - 1]))
			length--;
		if (out->length)
			text_adds(out, open && !alone ? " " : "\n");
		text_add(out, line, length);
		open = length != 0;
		comment = *end ? end + 1 : end;
	}
	while (out->length && isspace((unsigned char)out->at[out->length - 1]))
		out->at[--out->length] = '\0';
}

const char *comment_at(const Google__Protobuf__FileDescriptorProto *file, const int32_t *path, size_t length,
                       struct arena *a)
{
	const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;

	for (size_t i = 0; info && i < info->n_location; i++) {
		const Google__Protobuf__SourceCodeInfo__Location *at = info->location[i];
		struct text t;

		if (at->n_path != length || memcmp(at->path, path, length * sizeof *path) != 0)
			continue;
		text_init(&t, a);
		unwrap(&t, at->leading_comments);
		unwrap(&t, at->trailing_comments);
		return t.length ? t.at : NULL;
	}
	return NULL;
}

/* Tables: rows of a table in pipes, or of values between commas, semicolons or tabs. */
#include <ctype.h>
#include <string.h>

#include "svc-chat/model/blocks_reader.h"

enum {
	TABLE_ROWS = 3, /* lines alike that make a table of values between commas */
};

bool table_piped(struct span line)
{
	return line.size > 2 && *line.at == '|' && memchr(line.at + 1, '|', line.size - 1);
}

static bool ruler(struct span line)
{
	return line.size > 2 && strspn(line.at, "|-: \t") >= line.size && memchr(line.at, '-', line.size);
}

/* The character that divides the values of these lines, all into as many; 0: they are no table. */
char table_divider(const char *s, const char *end)
{
	static const char dividers[] = "\t|;,";

	for (const char *d = dividers; *d; d++) {
		size_t first = 0, lines = 0;
		bool alike = true;

		for (const char *at = s, *eol; at < end && alike; at = eol + 1) {
			size_t n = 0;

			eol = line_end(at, end);
			for (const char *p = at; p < eol; p++) {
				n += *p == *d;
				alike &= !(*p == '.' && p + 1 < eol && p[1] == ' ' && *d == ',');
			}
			first = lines++ ? first : n;
			/* The ends of a passage may have been cut. */
			alike &= n == first || (lines > 1 && eol == end && n < first);
		}
		if (alike && first >= (*d == ',' ? 2 : 1) && lines >= (*d == '|' ? 2 : TABLE_ROWS))
			return *d;
	}
	return 0;
}

size_t blocks_cells(struct span row, struct span *ret, size_t room)
{
	bool pipes = table_piped(row);
	char d = pipes || memmem(row.at, row.size, " | ", 3) ? '|'
	         : memchr(row.at, '\t', row.size)            ? '\t'
	         : memchr(row.at, ';', row.size)             ? ';'
	                                                     : ',';
	const char *at = row.at + pipes, *end = row.at + row.size;
	size_t n = 0;

	if (pipes && end > at && end[-1] == '|')
		end--;
	while (n < room) {
		const char *stop = at;
		bool quoted = stop < end && *stop == '"';

		for (stop += quoted; stop < end && (quoted || *stop != d); stop++)
			if (*stop == '"' && quoted)
				quoted = false;
		ret[n] = line_span(at, stop);
		if (ret[n].size >= 2 && *ret[n].at == '"' && ret[n].at[ret[n].size - 1] == '"')
			ret[n] = line_span(ret[n].at + 1, ret[n].at + ret[n].size - 1);
		n++;
		if (stop >= end)
			break;
		at = stop + 1;
	}
	return n;
}

/* Rows of one table up to its last; its first row is the head, unless one is given. */
const char *table_read_pipes(struct reader *r, const char *s)
{
	struct span first = line_span(s, line_end(s, r->end));
	const char *eol = line_end(s, r->end);
	struct span second =
	    eol < r->end ? line_span(eol + 1, line_end(eol + 1, r->end)) : (struct span){ 0 };

	r->paragraph++;
	if (ruler(second)) {
		r->head = first;
		s = eol + 1;
	}
	for (; s < r->end; s = eol + 1) {
		struct span line = line_span(s, line_end(s, r->end));

		eol = line_end(s, r->end);
		if (!table_piped(line))
			break;
		if (!ruler(line))
			reader_add_block(r, BLOCK_ROW, line, (struct span){ 0 });
		if (eol >= r->end)
			return r->end;
	}
	return s;
}

/* The first line names the columns when it has no digits and others have. */
void table_read_values(struct reader *r, const char *s, const char *end)
{
	const char *eol = line_end(s, end);
	bool digits = false;

	r->paragraph++;
	for (const char *p = s; p < eol; p++)
		digits |= isdigit((unsigned char)*p) != 0;
	if (!digits && !r->head.size) {
		r->head = line_span(s, eol);
		s = eol < end ? eol + 1 : end;
	}
	for (; s < end; s = eol + 1) {
		eol = line_end(s, end);
		reader_add_block(r, BLOCK_ROW, line_span(s, eol), (struct span){ 0 });
	}
}

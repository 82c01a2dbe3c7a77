/* What stands in the head of a mail: fields, their parameters, and words in other letters. */
#include "svc-documents/helper/mail.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VALUE_MAX = 1000, PIECES_MAX = 20 };

void mail_field(const struct entity *e, const char *name, char *ret, size_t size)
{
	size_t k = strlen(name), n = 0;

	*ret = '\0';
	for (const char *s = e->head; s < e->body;) {
		const char *eol = memchr(s, '\n', (size_t)(e->body - s));
		bool ours = (size_t)(e->body - s) > k && strncasecmp(s, name, k) == 0 && s[k] == ':';

		eol = eol ? eol : e->body;
		for (s += ours ? k + 1 : 0; ours;) {
			for (; s < eol && n < size - 1; s++)
				if (*s != '\r')
					ret[n++] = *s == '\t' ? ' ' : *s;
			s = eol < e->body ? eol + 1 : eol;
			ours = s < e->body && (*s == ' ' || *s == '\t');
			eol = ours ? memchr(s, '\n', (size_t)(e->body - s)) : eol;
			eol = eol ? eol : e->body;
			if (!ours) {
				ret[n] = '\0';
				return;
			}
		}
		s = eol < e->body ? eol + 1 : e->body;
	}
}

/* Behind the parameter that starts at s: its ;, which a quoted one may hold too. */
static const char *next_parameter(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ';'); s++)
		quoted = *s == '"' ? !quoted : quoted;
	return *s ? s + 1 : NULL;
}

void mail_parameter(const char *value, const char *name, char *ret, size_t size)
{
	size_t k = strlen(name), n = 0;

	*ret = '\0';
	for (const char *s = next_parameter(value); s; s = next_parameter(s)) {
		s += strspn(s, " ");
		if (strncasecmp(s, name, k) != 0 || s[k] != '=')
			continue;
		s += k + 1;
		for (bool quoted = *s == '"' && s++;
		     *s && n < size - 1 && (quoted ? *s != '"' : !strchr("; ", *s)); s++)
			ret[n++] = *s;
		ret[n] = '\0';
		return;
	}
}

/* --- Encodings ---------------------------------------------------------------------------------------------------- */

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
	                                    : -1;
}

char *mail_base64(const char *s, size_t size, size_t *ret_size)
{
	char *out = there(malloc(size + 4));
	unsigned bits = 0;
	int have = 0;

	*ret_size = 0;
	for (size_t i = 0; i < size && s[i] != '='; i++) {
		int digit = base64_digit(s[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (unsigned)digit;
		have += 6;
		if (have >= 8)
			out[(*ret_size)++] = (char)(bits >> (have -= 8));
	}
	return out;
}

char *mail_quoted(const char *s, size_t size, bool in_word, size_t *ret_size)
{
	char *out = there(malloc(size + 1));
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		if (s[i] == '=' && i + 2 < size && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
			out[n++] = (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
			i += 2;
		} else if (s[i] == '=' && i + 1 < size && (s[i + 1] == '\n' || s[i + 1] == '\r')) {
			i += 1 + (s[i + 1] == '\r' && i + 2 < size && s[i + 2] == '\n');
		} else {
			out[n++] = in_word && s[i] == '_' ? ' ' : s[i];
		}
	}
	*ret_size = n;
	return out;
}

/* One encoded word; false: there is none at s. Its bytes are the heap's memory. */
struct word {
	char charset[40], *bytes;
	size_t size;
	const char *behind;
};

static bool read_word(const char *s, struct word *ret)
{
	const char *kind, *text, *stop;

	if (strncmp(s, "=?", 2) != 0 || !(kind = strchr(s + 2, '?')) || !kind[1] || kind[2] != '?' ||
	    !(stop = strstr(text = kind + 3, "?=")))
		return false;
	snprintf(ret->charset, sizeof ret->charset, "%.*s", (int)strcspn(s + 2, "?*"), s + 2);
	ret->bytes = tolower((unsigned char)kind[1]) == 'b'
	                 ? mail_base64(text, (size_t)(stop - text), &ret->size)
	                 : mail_quoted(text, (size_t)(stop - text), true, &ret->size);
	ret->behind = stop + 2;
	return true;
}

static void write_bytes(struct recoder *recoder, const char *charset, const char *bytes, size_t size,
                        struct out *o)
{
	size_t n;
	char *text = recode(recoder, charset, bytes, size, &n);

	out_text(o, text, n);
	free(text);
}

/* Words that follow each other are one text: a character may begin in one and end in the next. */
static const char *write_words(struct recoder *recoder, struct word *first, struct out *o)
{
	struct word next;
	const char *s;

	for (;;) {
		char *both;

		s = first->behind + strspn(first->behind, " ");
		if (!read_word(s, &next))
			break;
		if (strcasecmp(next.charset, first->charset) != 0) {
			free(next.bytes);
			first->behind = s; /* without a blank */
			break;
		}
		both = there(realloc(first->bytes, first->size + next.size + 1));
		memcpy(both + first->size, next.bytes, next.size);
		free(next.bytes);
		first->bytes = both;
		first->size += next.size;
		first->behind = next.behind;
	}
	write_bytes(recoder, first->charset, first->bytes, first->size, o);
	free(first->bytes);
	return first->behind;
}

void mail_write_value(struct recoder *recoder, const char *s, struct out *o)
{
	while (*s) {
		const char *mark = strstr(s, "=?");
		size_t n = mark ? (size_t)(mark - s) : strlen(s);
		struct word word;

		write_bytes(recoder, "utf-8", s, n, o); /* as it should not be, and often is */
		s += n;
		if (!mark)
			return;
		if (read_word(s, &word)) {
			s = write_words(recoder, &word, o);
		} else {
			out_text(o, "=?", 2);
			s += 2;
		}
	}
}

/* --- Names ---------------------------------------------------------------------------------------------------------- */

/* utf-8''%C3%9Cbergabe.pdf */
static void decode_extended(struct recoder *recoder, const char *value, char *ret, size_t size)
{
	char label[32], bytes[VALUE_MAX], *text;
	const char *s = strchr(value, '\''), *language = s ? strchr(s + 1, '\'') : NULL;
	size_t n = 0, text_size;

	if (!language)
		return;
	snprintf(label, sizeof label, "%.*s", (int)(s - value), value);
	for (s = language + 1; *s && n < sizeof bytes; s++) {
		bool coded = *s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0;

		bytes[n++] = (char)(coded ? hex_digit(s[1]) * 16 + hex_digit(s[2]) : *s);
		s += coded ? 2 : 0;
	}
	text = recode(recoder, label, bytes, n, &text_size);
	snprintf(ret, size, "%.*s", (int)text_size, text);
	free(text);
}

/* A piece that is not encoded, as one that is. */
static size_t add_plain(char *all, size_t n, size_t size, const char *piece)
{
	if (n == 0)
		n = (size_t)snprintf(all, size, "utf-8''");
	for (; *piece && n + 4 < size; piece++)
		if (*piece == '%')
			n += (size_t)snprintf(all + n, size - n, "%%25");
		else
			all[n++] = *piece;
	all[n] = '\0';
	return n;
}

/* filename*0*=..., filename*1=... and so on; some are encoded. */
static void extended_parameter(struct recoder *recoder, const char *value, const char *name, char *ret,
                               size_t size)
{
	char all[VALUE_MAX], piece[VALUE_MAX], key[40];
	size_t n;

	snprintf(key, sizeof key, "%s*", name);
	mail_parameter(value, key, all, sizeof all);
	n = strlen(all);
	for (int i = 0; i < PIECES_MAX; i++) {
		snprintf(key, sizeof key, "%s*%d*", name, i);
		mail_parameter(value, key, piece, sizeof piece);
		if (*piece && n + strlen(piece) < sizeof all) {
			n += (size_t)snprintf(all + n, sizeof all - n, "%s", piece);
			continue;
		}
		snprintf(key, sizeof key, "%s*%d", name, i);
		mail_parameter(value, key, piece, sizeof piece);
		if (!*piece)
			break;
		n = add_plain(all, n, sizeof all, piece);
	}
	decode_extended(recoder, all, ret, size);
}

void mail_name(struct recoder *recoder, const char *value, const char *parameter, char *ret, size_t size)
{
	mail_parameter(value, parameter, ret, size);
	if (!*ret)
		extended_parameter(recoder, value, parameter, ret, size);
}

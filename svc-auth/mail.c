#include "svc-auth/mail.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/id.h"
#include "common/base/text.h"

enum { LINE_MAX_CHARS = 76, PLAIN_MAX_CHARS = 990 };

char *mail_address(const char *from, struct arena *a)
{
	const char *open = strrchr(from, '<'), *start = open ? open + 1 : from;
	size_t length = strcspn(start, ">");
	char *address = arena_strndup(a, start, length);
	const char *at = strrchr(address, '@');

	if (!at || at == address || !at[1] || strpbrk(address, " \t\r\n<>,;\""))
		return NULL;
	return address;
}

/* --- Headers ----------------------------------------------------------------------------------------------------- */

static int plain(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return 0;
	return strlen(text) <= 60 && !strstr(text, "=?");
}

/* How many bytes, at most `room`, end at a character's border. */
static size_t whole_characters(const char *text, size_t length, size_t room)
{
	size_t n = length < room ? length : room;

	while (n < length && n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* Unstructured text: as it is when it may be, else as encoded words (RFC 2047), each on a line of its own. */
static void add_words(struct text *t, const char *text)
{
	enum { WORD = 42 }; /* bytes: 56 characters of base64 */
	size_t length = strlen(text);
	const char *between = "";

	if (plain(text)) {
		text_adds(t, text);
		return;
	}
	for (size_t n; length > 0; text += n, length -= n) {
		static const char digits[] =
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

		n = whole_characters(text, length, WORD);
		text_addf(t, "%s=?UTF-8?B?", between);
		for (size_t i = 0; i < n; i += 3) {
			uint32_t bits = (uint32_t)(unsigned char)text[i] << 16;

			bits |= i + 1 < n ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
			bits |= i + 2 < n ? (uint32_t)(unsigned char)text[i + 2] : 0;
			text_addc(t, digits[bits >> 18]);
			text_addc(t, digits[bits >> 12 & 63]);
			text_addc(t, i + 1 < n ? digits[bits >> 6 & 63] : '=');
			text_addc(t, i + 2 < n ? digits[bits & 63] : '=');
		}
		text_adds(t, "?=");
		between = "\r\n ";
	}
}

static void add_from(struct text *t, const char *from, struct arena *a)
{
	const char *open = strrchr(from, '<'), *address = mail_address(from, a);
	size_t length = open ? (size_t)(open - from) : 0;

	while (length > 0 && strchr(" \t\"", from[length - 1]))
		length--;
	while (length > 0 && strchr(" \t\"", *from)) {
		from++;
		length--;
	}
	if (!length) {
		text_addf(t, "From: %s\r\n", address);
		return;
	}
	text_adds(t, "From: ");
	add_words(t, arena_strndup(a, from, length));
	text_addf(t, " <%s>\r\n", address);
}

static void add_date(struct text *t, int64_t date)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)date;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	text_addf(t, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
	          months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* --- Bodies ------------------------------------------------------------------------------------------------------ */

/* Quoted-printable (RFC 2045, 6.7). */
static void add_quoted(struct text *t, const char *body)
{
	int column = 0;

	for (const unsigned char *c = (const unsigned char *)body; *c; c++) {
		int last = c[1] == '\0' || c[1] == '\n';
		int quote = *c == '=' || *c > 0x7e || (*c < 0x20 && *c != '\t') ||
		            ((*c == ' ' || *c == '\t') && last) || (*c == '.' && column == 0);
		int width = quote ? 3 : 1;

		if (*c == '\n') {
			text_adds(t, "\r\n");
			column = 0;
			continue;
		}
		if (column + width > LINE_MAX_CHARS - !last) {
			text_adds(t, "=\r\n");
			column = 0;
		}
		if (quote)
			text_addf(t, "=%02X", *c);
		else
			text_addc(t, (char)*c);
		column += width;
	}
	if (column)
		text_adds(t, "\r\n");
}

/* Whether it may travel as it stands (RFC 5322, 2.1.1), so that a link in it can be copied from the file. */
static bool is_plain(const char *body)
{
	size_t column = 0;

	for (const unsigned char *c = (const unsigned char *)body; *c; c++) {
		column = *c == '\n' ? 0 : column + 1;
		if (*c > 0x7e || (*c < 0x20 && *c != '\n') || column > PLAIN_MAX_CHARS ||
		    (*c == '.' && column == 1) || (*c == ' ' && (c[1] == '\n' || !c[1])))
			return false;
	}
	return column == 0;
}

static void add_lines(struct text *t, const char *body)
{
	for (const char *c = body; *c; c++)
		*c == '\n' ? text_adds(t, "\r\n") : text_addc(t, *c);
}

static void add_part(struct text *t, const char *boundary, const char *type, const char *body)
{
	bool plain = is_plain(body);

	text_addf(t, "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
	          boundary, type, plain ? "7bit" : "quoted-printable");
	plain ? add_lines(t, body) : add_quoted(t, body);
}

char *mail_build(const struct mail *m, size_t *size, struct arena *a)
{
	const char *domain = strrchr(mail_address(m->from, a), '@') + 1;
	char hash[65], *boundary;
	struct text t;

	sha256_hex(hash, m->id, strlen(m->id));
	boundary = arena_printf(a, "parley-%.16s", hash);
	text_init(&t, a);
	add_date(&t, m->date);
	add_from(&t, m->from, a);
	if (m->reply_to)
		text_addf(&t, "Reply-To: %s\r\n", m->reply_to);
	text_addf(&t, "To: %s\r\nSubject: ", m->to);
	add_words(&t, m->subject);
	text_addf(&t, "\r\nMessage-ID: <%s@%s>\r\n", m->id, domain);
	text_adds(&t, "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n");
	text_addf(&t, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
	add_part(&t, boundary, "text/plain", m->text);
	add_part(&t, boundary, "text/html", m->html);
	text_addf(&t, "--%s--\r\n", boundary);
	*size = t.length;
	return t.at;
}

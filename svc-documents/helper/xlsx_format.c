/* What a cell's number looks like: a date, a percentage, so many digits, with its unit. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "svc-documents/helper/xlsx.h"

/* Those that every Excel knows by number. */
static const char *usual(long id)
{
	if ((id >= 14 && id <= 17) || id == 22)
		return "yyyy-mm-dd";
	if ((id >= 18 && id <= 21) || (id >= 45 && id <= 47))
		return "h:mm";
	if (id == 9 || id == 10)
		return "0%";
	return id == 2 || id == 4 || id == 39 || id == 40 || id == 43 || id == 44 ? "0.00" : "General";
}

struct scanner {
	struct xlsx_format *f;
	bool number, point; /* seen */
};

static void add_literal(struct scanner *s, char c)
{
	char *to = s->number ? s->f->suffix : s->f->prefix;
	size_t n = strlen(to);

	if (n < sizeof s->f->prefix - 1)
		to[n] = c;
}

/* [Red], [$€-407], [h] */
static const char *scan_brackets(struct scanner *s, const char *code)
{
	const char *stop = strchr(code, ']');

	if (code[1] == '$')
		for (const char *c = code + 2; *c && *c != '-' && *c != ']'; c++)
			add_literal(s, *c);
	else if (code[1] == 'h' || code[1] == 'm' || code[1] == 's')
		s->f->kind = 'h';
	return stop ? stop + 1 : code + strlen(code);
}

static void scan_digit(struct scanner *s, char c)
{
	s->number = true;
	if (s->point) {
		s->f->most++;
		s->f->least = c == '0' ? s->f->most : s->f->least;
	} else {
		s->f->digits += c == '0';
	}
}

void xlsx_format_read(long id, const char *code, struct xlsx_format *ret)
{
	struct scanner s = { .f = ret };

	*ret = (struct xlsx_format){ 0 };
	for (code = code ? code : usual(id); *code && *code != ';';) {
		char c = *code++;

		if (c == '\\' && *code)
			add_literal(&s, *code++);
		else if ((c == '_' || c == '*') && *code)
			code++; /* as wide as that; filled with it */
		else if (c == '"')
			for (; *code && *code++ != '"';)
				if (code[-1] != '"')
					add_literal(&s, code[-1]);
				else
					break;
		else if (c == '[')
			code = scan_brackets(&s, code - 1);
		else if (strncasecmp(code - 1, "General", 7) == 0)
			code += 6, s.number = true;
		else if (c == '0' || c == '#' || c == '?')
			scan_digit(&s, c);
		else if (c == '.')
			s.point = true;
		else if (c == '%')
			ret->kind = '%';
		else if (strchr("yYdD", c))
			ret->kind = 'd';
		else if (strchr("hHsS", c) && ret->kind != 'd')
			ret->kind = 'h';
		else if (c == 'E' || c == '/' || c == '@')
			ret->kind = ret->kind ? ret->kind : 'g';
		else if (!strchr(",+-()", c) && !isalpha((unsigned char)c))
			add_literal(&s, c);
	}
	if (ret->kind || !s.number)
		ret->prefix[0] = ret->suffix[0] = '\0';
}

/* Days since the last of 1899, or since 1904, as a date. */
static void print_date(double days, bool since_1904, const char *value, char *ret, size_t size)
{
	bool is_day = days >= 1 && days <= 2958465;
	time_t t = is_day ? (time_t)((days + (since_1904 ? 1462 : 0) - 25569) * 86400 + 0.5) : 0;
	struct tm tm;

	if (!is_day || !gmtime_r(&t, &tm))
		snprintf(ret, size, "%s", value);
	else
		strftime(ret, size, tm.tm_hour || tm.tm_min ? "%Y-%m-%d %H:%M" : "%Y-%m-%d", &tm);
}

/* 0042, 4.20, 9.33: as many digits as are shown. What shows no decimals keeps those there are. */
static void print_digits(const struct xlsx_format *f, const char *value, double n, char *ret, size_t size)
{
	char digits[60];

	if (fabs(n) > 1e15 || f->kind == 'g')
		snprintf(digits, sizeof digits, "%.59s", value);
	else if (f->most > 0)
		snprintf(digits, sizeof digits, "%.*f", f->most < 10 ? f->most : 10, fabs(n));
	else if (strlen(value) > 15 && strchr(value, '.')) /* 0.30000000000000004 */
		snprintf(digits, sizeof digits, "%.12g", fabs(n));
	else
		snprintf(digits, sizeof digits, "%.58s", n < 0 && *value == '-' ? value + 1 : value);
	for (int i = f->most; i > f->least && f->kind != 'g' && strchr(digits, '.'); i--) {
		char *last = digits + strlen(digits) - 1;

		if (*last != '0')
			break;
		*last = '\0';
		if (last[-1] == '.')
			last[-1] = '\0';
	}
	snprintf(ret, size, "%s%s%.*s%s%s", n < 0 && *digits != '-' ? "-" : "", f->prefix,
	         f->digits > (int)strcspn(digits, ".") ? f->digits - (int)strcspn(digits, ".") : 0,
	         "0000000000000000", digits, f->suffix);
}

void xlsx_format_print(const struct xlsx_format *f, bool since_1904, const char *value, char *ret,
                       size_t size)
{
	double n = strtod(value, NULL);
	int minutes = n >= 0 && n < 1000 ? (int)(n * 1440 + 0.5) : -1;

	if (f->kind == 'd')
		print_date(n, since_1904, value, ret, size);
	else if (f->kind == 'h' && minutes >= 0)
		snprintf(ret, size, "%02d:%02d", minutes / 60, minutes % 60);
	else if (f->kind == '%')
		snprintf(ret, size, "%.10g%%", n * 100);
	else
		print_digits(f, value, n, ret, size);
}

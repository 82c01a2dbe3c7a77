#include "svc-chat/model/pause.h"

#include <ctype.h>
#include <curl/curl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/json/json.h"

static const double pause_most = 1e9;

/* What a unit begins with; the first that fits counts. */
static const struct {
	const char *name;
	double ms;
} units[] = { { "ms", 1 },   { "mil", 1 },     { "mo", 30 * 864e5 }, { "s", 1e3 },  { "m", 6e4 },
	      { "h", 36e5 }, { "d", 864e5 },   { "w", 7 * 864e5 },   { "毫秒", 1 }, { "秒", 1e3 },
	      { "分", 6e4 }, { "小时", 36e5 }, { "天", 864e5 } };

static int64_t bounded(double ms)
{
	return (int64_t)(ms < pause_most ? ms : pause_most);
}

/* At the beginning of the text; 0: none is there. *end: behind its word. */
static double unit_at(const char *text, const char **end)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t n = strlen(units[i].name);

		if (strncasecmp(text, units[i].name, n) != 0)
			continue;
		for (*end = text + n; isalpha((unsigned char)**end);)
			++*end;
		return units[i].ms;
	}
	return 0;
}

/* "1m2.5s", "1 minute and 2 seconds"; 0 without a number and a unit. */
static double sum_of(const char *at)
{
	double sum = 0;

	while (isdigit((unsigned char)*at)) {
		char *number;
		const char *end;
		double n = strtod(at, &number), unit = unit_at(number + strspn(number, " "), &end);

		if (!unit)
			break;
		sum += n * unit;
		at = end + strspn(end, " ");
		at += strncmp(at, "and ", 4) == 0 ? 4 : 0;
	}
	return sum;
}

/* "00:00:02", as .NET has it; -1: it is none. */
static double clock_of(const char *text)
{
	double sum = 0;
	int parts = 1;
	char *end;

	for (;; parts++, text = end + 1) {
		if (!isdigit((unsigned char)*text))
			return -1;
		sum = sum * 60 + strtod(text, &end);
		if (*end != ':')
			break;
	}
	return parts == 3 && !*end ? sum * 1e3 : -1;
}

static time_t date_of(const char *text)
{
	struct tm tm = { 0 };

	return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? timegm(&tm) : curl_getdate(text, NULL);
}

int64_t pause_read(const char *text, double unit_ms, int64_t now)
{
	const char *at = text + strspn(text, " \t\"");
	char *end;
	double n = strtod(at, &end), sum = isdigit((unsigned char)*at) ? sum_of(at) : 0;
	time_t date;

	if (sum > 0)
		return bounded(sum);
	if (end != at && isfinite(n) && n >= 0 && (!*end || strchr(" \t\",", *end)))
		return bounded(n * unit_ms);
	sum = clock_of(at);
	if (sum >= 0)
		return bounded(sum);
	date = date_of(at);
	if (date < 0)
		return -1;
	return date > now ? bounded((double)(date - now) * 1e3) : 0;
}

int64_t pause_in_words(const char *words)
{
	static const char *const phrases[] = {
		"again in ",    "retry in ", "retry after ",  "again after ", "retry after: ",
		"wait ",        "wait for ", "available in ", "reset in ",    "resets in ",
		"reset after ", "请在",      "请等待",        "请",           NULL
	};

	for (const char *const *phrase = phrases; *phrase; phrase++) {
		const char *at = strcasestr(words, *phrase);
		double sum = 0;

		if (at) {
			at += strlen(*phrase);
			sum = sum_of(at + strspn(at, " "));
		}
		if (sum > 0)
			return bounded(sum);
	}
	return -1;
}

int64_t pause_in_fields(json_object *error)
{
	static const struct {
		const char *name;
		double unit_ms;
	} fields[] = { { "retry_after_ms", 1 },
		       { "retry_after", 1e3 },
		       { "retryAfter", 1e3 },
		       { "retry_after_seconds", 1e3 },
		       { "retryDelay", 1e3 } };
	json_object *details = json_get(error, "details");
	size_t n = json_object_is_type(details, json_type_array) ? json_object_array_length(details) : 0;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *text = json_string(error, fields[i].name);
		double ms = json_real(error, fields[i].name, -1) * fields[i].unit_ms;

		if (text)
			return pause_read(text, fields[i].unit_ms, time(NULL));
		if (ms >= 0)
			return bounded(ms);
	}
	for (size_t i = 0; i < n && i < 8; i++) {
		int64_t pause = pause_in_fields(json_object_array_get_idx(details, i));

		if (pause >= 0)
			return pause;
	}
	return -1;
}

#include "common/base/clock.h"

#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_unix_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

/* The calendar costs more than the rest of a line of the log: each thread remembers its last second. */
void clock_rfc3339(char text[32], int64_t unix_ms)
{
	static _Thread_local char second[24];
	static _Thread_local time_t made = -1;
	int64_t ms = unix_ms % 1000;
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;
	size_t length;

	if (ms < 0) { /* before 1970: the fraction still counts upwards */
		ms += 1000;
		seconds--;
	}
	if (seconds != made || !*second) {
		gmtime_r(&seconds, &utc);
		if (!strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S.", &utc))
			*second = '\0';
		made = seconds;
	}
	length = strlen(second);
	memcpy(text, second, length);
	text[length] = (char)('0' + ms / 100);
	text[length + 1] = (char)('0' + ms / 10 % 10);
	text[length + 2] = (char)('0' + ms % 10);
	text[length + 3] = 'Z';
	text[length + 4] = '\0';
}

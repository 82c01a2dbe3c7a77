#include "common/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/base/utf8.h"

enum { LINE_MAX_BYTES = 4096, TEXT_MAX_BYTES = 1000, QUEUE_BYTES = 256 * 1024, GATHER_MS = 10 };

/* Set once by log_open(), before there is a second thread. */
static struct {
	const char *program;
	enum log_level least;
} settings = { "parley", LOG_INFO };

/* A line that is being written. Once something did not fit, nothing more is added. */
struct line {
	char bytes[LINE_MAX_BYTES];
	size_t length;
	bool full;
};

static void add(struct line *line, const char *bytes, size_t size)
{
	enum { CLOSING = 2 }; /* room for the brace and newline that end every line */

	line->full = line->full || size > sizeof line->bytes - CLOSING - line->length;
	if (line->full)
		return;
	memcpy(line->bytes + line->length, bytes, size);
	line->length += size;
}

static void add_string(struct line *line, const char *text)
{
	add(line, text, strlen(text));
}

static void add_number(struct line *line, int64_t number)
{
	char digits[24], *at = digits + sizeof digits;
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	add(line, at, (size_t)(digits + sizeof digits - at));
}

/* Where to cut a text, so that no UTF-8 character is split. */
static size_t cut(const char *text)
{
	return utf8_clip(text, strnlen(text, TEXT_MAX_BYTES + 1), TEXT_MAX_BYTES);
}

/* Bytes that are not UTF-8 are shown as \u0080 to \u00ff, so that the line is JSON whatever came in. */
static void add_escaped(struct line *line, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t length = cut(text), plain = 0;
	bool utf8 = utf8_valid(text, length);

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && (c < 0x80 || utf8))
			continue;
		add(line, text + plain, i - plain);
		if (c == '"' || c == '\\')
			add(line, (char[]){ '\\', (char)c }, 2);
		else
			add(line, escape, sizeof escape);
		plain = i + 1;
	}
	add(line, text + plain, length - plain);
}

/* Nearly every text is such that all of it stands for itself. */
static void add_quoted(struct line *line, const char *text)
{
	static const bool itself[256] = { [' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true };
	size_t length = 0;

	while (length <= TEXT_MAX_BYTES && itself[(unsigned char)text[length]])
		length++;
	add(line, "\"", 1);
	if (text[length] || length > TEXT_MAX_BYTES)
		add_escaped(line, text);
	else
		add(line, text, length);
	add(line, "\"", 1);
}

/* A member that does not fit is left out as a whole. */
static void add_member(struct line *line, struct log_field field)
{
	size_t before = line->length;

	add_string(line, before ? ",\"" : "{\"");
	add_string(line, field.name);
	add_string(line, "\":");
	if (field.text)
		add_quoted(line, field.text);
	else
		add_number(line, field.number);
	if (line->full)
		line->length = before;
	line->full = false;
}

/* --- Writing -------------------------------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t writing; /* taken before the lock: whole batches reach the file in their order */
	pthread_mutex_t lock;    /* of what follows */
	pthread_cond_t more;
	bool background, idle; /* idle: the thread waits for a first line */
	char halves[2][QUEUE_BYTES];
	char *filling;
	size_t length;
} queue = { .writing = PTHREAD_MUTEX_INITIALIZER,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .more = PTHREAD_COND_INITIALIZER };

static void write_all(const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(STDERR_FILENO, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody to tell */
		bytes += n;
		size -= (size_t)n;
	}
}

void log_flush(void)
{
	const char *full;
	size_t size;

	pthread_mutex_lock(&queue.writing);
	pthread_mutex_lock(&queue.lock);
	full = queue.filling;
	size = queue.length;
	queue.filling = full == queue.halves[0] ? queue.halves[1] : queue.halves[0];
	queue.length = 0;
	pthread_mutex_unlock(&queue.lock);
	write_all(full, size);
	pthread_mutex_unlock(&queue.writing);
}

static void *write_queue(void *arg)
{
	static const struct timespec gather = { .tv_nsec = GATHER_MS * 1000000L };

	(void)arg;
	pthread_setname_np(pthread_self(), "log");
	for (;;) {
		pthread_mutex_lock(&queue.lock);
		queue.idle = true;
		while (!queue.length)
			pthread_cond_wait(&queue.more, &queue.lock);
		queue.idle = false;
		pthread_mutex_unlock(&queue.lock);
		nanosleep(&gather, NULL);
		log_flush();
	}
	return NULL;
}

void log_background(void)
{
	queue.filling = queue.halves[0];
	queue.background = true;
	pthread_detach(thread_start(write_queue, NULL));
}

static void put(const char *bytes, size_t size)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.length + size > QUEUE_BYTES) { /* the disk cannot keep up: then we do wait */
		pthread_mutex_unlock(&queue.lock);
		log_flush();
		pthread_mutex_lock(&queue.lock);
	}
	memcpy(queue.filling + queue.length, bytes, size);
	queue.length += size;
	if (queue.idle)
		pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}

/* --- Lines ---------------------------------------------------------------------------------------------------------- */

void log_open(const char *program, enum log_level least)
{
	settings.program = program;
	settings.least = least;
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields, int count)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	struct line line; /* its bytes need no zeroes: they cost more than the line */
	char now[32];

	if (level < settings.least)
		return;
	line.length = 0;
	line.full = false;
	clock_rfc3339(now, clock_unix_ms());
	add_member(&line, LOG_TEXT("time", now));
	add_member(&line, LOG_TEXT("level", levels[level]));
	add_member(&line, LOG_TEXT("program", settings.program));
	if (message)
		add_member(&line, LOG_TEXT("message", message));
	for (int i = 0; i < count; i++)
		add_member(&line, fields[i]);
	memcpy(line.bytes + line.length, "}\n", 2);
	if (!queue.background) {
		write_all(line.bytes, line.length + 2);
		return;
	}
	put(line.bytes, line.length + 2);
	if (level >= LOG_WARN)
		log_flush();
}

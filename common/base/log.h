/*
 * log: one JSON line on stderr per event worth telling. Functions below the dispatcher return errors and stay silent.
 *
 *	log_line(LOG_WARN, "mail not sent", LOG_TEXT("to", address), LOG_INT("attempt", 3));
 *
 * Text from outside is quoted. Passwords, tokens, prompts and documents never appear. No line is ever torn.
 */
#ifndef PARLEY_LOG_H
#define PARLEY_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *name; /* NULL ends the list */
	const char *text; /* NULL: number counts */
	int64_t number;
};

static inline struct log_field log_text(const char *name, const char *value)
{
	return (struct log_field){ name, value ? value : "", 0 };
}
#define LOG_TEXT(name, value) log_text(name, value) /* NULL is "" */
#define LOG_INT(name, value) ((struct log_field){ name, NULL, value })

/* Named once in main(), before any thread: "gateway", "svc-auth". Lines below the level are dropped. */
void log_open(const char *program, enum log_level least);
void log_fields(enum log_level level, const char *message, const struct log_field *fields, int count);

/*
 * From now on lines below LOG_WARN are written by a thread, some 10 ms later and many at once: a request must not wait
 * for a disk that is busy with somebody's fsync. Warnings and errors, and whatever came before them, still go at once.
 * log_flush() before the end of the process.
 */
void log_background(void);
void log_flush(void);

#define log_line(level, message, ...)                                                                      \
	log_fields(                                                                                        \
	    level, message, (const struct log_field[]){ { 0 }, ##__VA_ARGS__ } + 1,                        \
	    (int)(sizeof((const struct log_field[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct log_field)) - \
	        1)

#endif

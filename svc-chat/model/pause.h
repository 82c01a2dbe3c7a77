/*
 * pause: how long a provider asks to be left alone, in any form that providers have for it. Milliseconds; -1: it says nothing.
 * Longer than eleven days is told as that.
 */
#ifndef PARLEY_CHAT_PAUSE_H
#define PARLEY_CHAT_PAUSE_H

#include <json-c/json.h>
#include <stdint.h>

/* A header's value: "2", "2.5", "\"2\"", "2, 2", "1.5s", "300ms", "00:00:02", or a date. unit_ms: of a bare number. now: Unix
 * seconds. */
int64_t pause_read(const char *text, double unit_ms, int64_t now);
/* "Please try again in 1m2.5s", "请在2秒后重试" */
int64_t pause_in_words(const char *words);
/* A member of an error: {"retry_after": 2}, also in its "details". */
int64_t pause_in_fields(json_object *error);

#endif

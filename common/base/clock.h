/*
 * clock: the time, in the units this project uses. Modules take the time as an argument; main and handlers ask here.
 */
#ifndef PARLEY_CLOCK_H
#define PARLEY_CLOCK_H

#include <stdint.h>

int64_t clock_unix_ms(void); /* wall time: stamps and deadlines that travel */
int64_t clock_mono_ms(void); /* never jumps: waits and durations */
int64_t clock_mono_us(void);

/* RFC 3339 in UTC: "2025-01-15T10:30:00.123Z". */
void clock_rfc3339(char text[32], int64_t unix_ms);

#endif

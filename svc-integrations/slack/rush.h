/*
 * slack/rush: while events pour in, answers begin one after another, so that what Slack waits for (an acknowledgement, within three
 * seconds) does not stand behind what nobody is promised a time for. Answers that have begun go on.
 */
#ifndef PARLEY_SLACK_RUSH_H
#define PARLEY_SLACK_RUSH_H

#include <pthread.h>
#include <stdint.h>

struct rush {
	pthread_mutex_t lock;
	int64_t window;  /* the present one, by its number */
	int now, before; /* events in it, and in the one before */
	int64_t next_ms; /* when the next answer may begin */
};

void rush_init(struct rush *r);

/* An event has come. ms: of a clock that never goes back. */
void rush_note(struct rush *r, int64_t ms);

/* How many ms the answer that asks has to wait before it begins: 0 when there is no rush. Its turn is kept for it. */
int rush_pause(struct rush *r, int64_t ms);

#endif

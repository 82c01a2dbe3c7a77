#include "svc-integrations/slack/rush.h"

enum {
	WINDOW_MS = 500,
	MANY = 25,     /* events in a window: 180,000 an hour, six times what Slack sends a workspace */
	APART_MS = 50, /* from one beginning to the next: what an answer takes of our processors, and more */
};

void rush_init(struct rush *r)
{
	*r = (struct rush){ .window = 0 };
	pthread_mutex_init(&r->lock, NULL);
}

static void move(struct rush *r, int64_t ms)
{
	int64_t window = ms / WINDOW_MS;

	if (window == r->window)
		return;
	r->before = window == r->window + 1 ? r->now : 0;
	r->now = 0;
	r->window = window;
}

void rush_note(struct rush *r, int64_t ms)
{
	pthread_mutex_lock(&r->lock);
	move(r, ms);
	r->now++;
	pthread_mutex_unlock(&r->lock);
}

int rush_pause(struct rush *r, int64_t ms)
{
	int pause = 0;

	pthread_mutex_lock(&r->lock);
	move(r, ms);
	if (r->now >= MANY || r->before >= MANY) {
		if (r->next_ms > ms)
			pause = (int)(r->next_ms - ms);
		r->next_ms = ms + pause + APART_MS;
	}
	pthread_mutex_unlock(&r->lock);
	return pause;
}

#include "common/service/share.h"

#include <stdlib.h>

enum { SHARE_PART = 4 };

struct share **share_place(struct lane *lane, uint64_t owner)
{
	struct share **at = &lane->heads[(owner * UINT64_C(0x9e3779b97f4a7c15)) >> 58];

	while (*at && (*at)->owner != owner)
		at = &(*at)->next;
	return at;
}

struct share *share_of(struct lane *lane, uint64_t owner)
{
	struct share **at = share_place(lane, owner);

	if (*at)
		return *at;
	*at = calloc(1, sizeof **at);
	if (!*at)
		abort();
	(*at)->owner = owner;
	(*at)->end = &(*at)->first;
	return *at;
}

void shares_free(struct lane *lane)
{
	for (int i = 0; i < LANE_HEADS; i++) {
		for (struct share *s = lane->heads[i], *next; s; s = next) {
			next = s->next;
			free(s);
		}
	}
}

void share_forget(struct lane *lane, struct share *s)
{
	if (s->busy || s->queued)
		return;
	*share_place(lane, s->owner) = s->next;
	free(s);
}

static int quarter(int places)
{
	return places / SHARE_PART > 1 ? places / SHARE_PART : 1;
}

bool share_allowed(const struct lane *lane, const struct share *s)
{
	int left = lane->config.places - lane->busy;

	if (left <= 0 || !s->owner)
		return left > 0;
	if (left == 1)
		return !s->busy;
	return !lane->config.waits_long || s->busy < quarter(lane->config.places) || s->busy < left;
}

struct share **share_pick(struct lane *lane)
{
	struct share **best = NULL;

	for (struct share **at = &lane->waiting; *at; at = &(*at)->next_waiting) {
		const struct share *s = *at;

		if (!share_allowed(lane, s))
			continue;
		if (!s->owner || s->busy < quarter(lane->config.places))
			return at;
		if (!best || s->busy < (*best)->busy)
			best = at;
	}
	return best ? best : lane->waiting_end;
}

bool share_may_wait(struct lane *lane, const struct share *s)
{
	int left = lane->config.places + lane->config.queue - lane->busy - lane->queued;
	bool others_wait = lane->waiting && (lane->waiting != s || s->next_waiting);

	if (left <= 0 || !s->owner)
		return left > 0;
	if (left == 1)
		return !s->busy && !s->queued;
	return !others_wait || s->queued < quarter(lane->config.places + lane->config.queue);
}

void share_count(struct lane *lane, int more)
{
	lane->queued += more;
	metric_set(lane->gauge_queued, lane->queued);
}

void share_enqueue(struct lane *lane, struct share *s, struct lane_job *job)
{
	job->next = NULL;
	*s->end = job;
	s->end = &job->next;
	if (!s->queued++) {
		s->next_waiting = NULL;
		*lane->waiting_end = s;
		lane->waiting_end = &s->next_waiting;
	}
	share_count(lane, 1);
}

struct lane_job *share_dequeue(struct lane *lane, struct share **at)
{
	struct share *s = *at;
	struct lane_job *job = s->first;

	s->first = job->next;
	if (!s->first)
		s->end = &s->first;
	*at = s->next_waiting;
	if (!*at)
		lane->waiting_end = at;
	s->next_waiting = NULL;
	if (--s->queued) {
		*lane->waiting_end = s;
		lane->waiting_end = &s->next_waiting;
	}
	share_count(lane, -1);
	return job;
}

bool share_take_back(struct lane *lane, struct share *s, const struct lane_job *job)
{
	struct lane_job **link = &s->first;
	struct share **at = &lane->waiting;

	while (*link && *link != job)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = job->next;
	if (!*link)
		s->end = link;
	share_count(lane, -1);
	if (--s->queued)
		return true;
	while (*at != s)
		at = &(*at)->next_waiting;
	*at = s->next_waiting;
	if (!*at)
		lane->waiting_end = at;
	return true;
}

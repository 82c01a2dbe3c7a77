/*
 * watch: who waits for a document, here. Any replica may do the work; PostgreSQL's NOTIFY tells all of them which
 * document has changed, and this wakes those who asked for that one. They then look for themselves.
 */
#ifndef PARLEY_DOCUMENTS_WATCH_H
#define PARLEY_DOCUMENTS_WATCH_H

#include <stdbool.h>

#include "common/base/error.h"

struct watch;

int watch_open(const char *database_url, struct watch **ret, struct error *err) CHECKED;
void watch_close(struct watch *w); /* after the last watcher has gone */

/* One who waits. Add before looking at the document, so that nothing is missed in between. */
struct watcher {
	char id[37];
	bool changed;
	struct parked *parked; /* NULL, or the call to wake (common/service/call.h) */
	struct watcher *next;
};
void watch_add(struct watch *w, struct watcher *me, const char *document_id); /* "": every document */
void watch_add_parked(struct watch *w, struct watcher *me, const char *document_id, struct parked *parked);
void watch_remove(struct watch *w, struct watcher *me);
/* Until the document changed or the time is over. Says "changed" now and then without reason. */
void watch_wait(struct watch *w, struct watcher *me, int ms);
/* Has it changed since the last time? Does not wait. */
bool watch_take(struct watch *w, struct watcher *me);
/* As if the document had changed: ends a wait. */
void watch_poke(struct watch *w, struct watcher *me);

#endif

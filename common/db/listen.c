#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "common/db/internal.h"

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 1000, QUIET_MS = 30 * 1000 };

struct db_listener {
	char *url;
	char **channels; /* ended by NULL */
	void (*fn)(void *arg, const char *channel, const char *payload);
	void *arg;
	pthread_t thread;
	int stop; /* an eventfd: readable once it is time to end */
};

/* 1 when asked to stop, 0 when fd (or nothing: -1) has something or the time is up. */
static int wait_for(const struct db_listener *l, int fd, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = l->stop, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

	poll(fds, fd < 0 ? 1 : 2, timeout_ms);
	return fds[0].revents != 0;
}

static int ask(PGconn *pg, const char *sql)
{
	bool late = false;
	OWN(pgresult)
	PGresult *res = db_answer(pg, PQsendQuery(pg, sql), clock_mono_ms() + DB_PING_MS, &late);

	return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_EMPTY_QUERY ? 0 : -1;
}

static int subscribe(PGconn *pg, char *const *channels)
{
	int rc = 0;

	for (; *channels && rc == 0; channels++) {
		char *name = PQescapeIdentifier(pg, *channels, strlen(*channels));
		char sql[160];

		snprintf(sql, sizeof sql, "LISTEN %s", name ? name : "");
		PQfreemem(name);
		rc = ask(pg, sql);
	}
	return rc;
}

/* true when there were any */
static bool tell_pending(struct db_listener *l, PGconn *pg)
{
	PGnotify *note;
	bool any = false;

	for (; (note = PQnotifies(pg)) != NULL; any = true) {
		l->fn(l->arg, note->relname, note->extra);
		PQfreemem(note);
	}
	return any;
}

/* Until the connection breaks (0) or it is time to stop (1). One that says nothing for long is asked whether it is still
 * there: a stopped backend and a cut network are as silent as a quiet database. */
static int follow(struct db_listener *l, PGconn *pg)
{
	int64_t heard = clock_mono_ms();

	for (char **channel = l->channels; *channel; channel++)
		l->fn(l->arg, *channel, NULL);
	for (;;) {
		if (tell_pending(l, pg))
			heard = clock_mono_ms();
		if (wait_for(l, PQsocket(pg), QUIET_MS))
			return 1;
		if (PQconsumeInput(pg) != 1 || PQstatus(pg) != CONNECTION_OK)
			return 0;
		if (clock_mono_ms() - heard < QUIET_MS)
			continue;
		if (ask(pg, "") < 0)
			return 0;
		heard = clock_mono_ms();
	}
}

static void *listen_for_ever(void *arg)
{
	struct db_listener *l = arg;
	int pause = FIRST_PAUSE_MS;

	for (;;) {
		struct error err = { 0 };
		OWN(pgconn) PGconn *pg = db_connect(l->url, "listen", 0, &err);
		if (pg && subscribe(pg, l->channels) == 0) {
			if (follow(l, pg))
				return NULL;
			pause = FIRST_PAUSE_MS;
		}
		if (wait_for(l, -1, pause))
			return NULL;
		pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
	}
}

int db_listen(const char *url, const char *const *channels,
              void (*fn)(void *arg, const char *channel, const char *payload), void *arg,
              struct db_listener **ret, struct error *err)
{
	struct db_listener *l = calloc(1, sizeof *l);
	size_t count = 0;

	while (channels[count])
		count++;
	*l =
	    (struct db_listener){ .url = strdup(url), .fn = fn, .arg = arg, .stop = eventfd(0, EFD_CLOEXEC) };
	l->channels = calloc(count + 1, sizeof *l->channels);
	for (size_t i = 0; i < count; i++)
		l->channels[i] = strdup(channels[i]);
	if (l->stop < 0 || thread_try(&l->thread, listen_for_ever, l) < 0) {
		l->fn = NULL; /* no thread to wait for */
		db_listener_free(l);
		return error_internal(err, "db_listen: no thread");
	}
	*ret = l;
	return 0;
}

void db_listener_free(struct db_listener *l)
{
	if (!l)
		return;
	if (l->fn && eventfd_write(l->stop, 1) == 0)
		pthread_join(l->thread, NULL);
	for (char **channel = l->channels; *channel; channel++)
		free(*channel);
	if (l->stop >= 0)
		close(l->stop);
	free(l->channels);
	free(l->url);
	free(l);
}

/* One run of the helper: its life, and what it found. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "svc-documents/helper/verdict.h"
#include "svc-documents/ingest/extractors.h"

/* --- The helper's life ------------------------------------------------------------------------------------------ */

struct child {
	pid_t pid;
	int out, complaints; /* our ends of its standard output and error */
};

static int start(struct child *c, const struct extractors *e, const struct format *format, bool links,
                 int file, const char *const *pages, struct error *err)
{
	char seconds[16], name[32];
	char *argv[] = { (char *)e->program,
		         name,
		         (char *)e->megabytes,
		         seconds,
		         (char *)e->languages,
		         pages ? (char *)pages[0] : NULL,
		         pages ? (char *)pages[1] : NULL,
		         NULL };
	char *envp[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL };
	int out[2], complaints[2], rc;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;

	if (pipe2(out, O_CLOEXEC) < 0)
		return error_internal(err, "pipe: %s", strerror(errno));
	if (pipe2(complaints, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return error_internal(err, "pipe: %s", strerror(errno));
	}
	snprintf(seconds, sizeof seconds, "%d", format->seconds);
	snprintf(name, sizeof name, "%s%s", format->name, links ? " links" : "");
	sigemptyset(&none); /* ours are blocked; the helper shall die of its limits */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, file, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, complaints[1], 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(&c->pid, e->program, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(complaints[1]);
	c->out = out[0];
	c->complaints = complaints[0];
	if (rc == 0)
		return 0;
	close(c->out);
	close(c->complaints);
	return error_internal(err, "%s: %s", e->program, strerror(rc));
}

struct gathered {
	char *bytes;
	size_t size, room, most;
};

/* 1: more may come, 0: the end, -1: too much. */
static int gather(struct gathered *g, int fd)
{
	ssize_t n;

	if (g->size == g->room) {
		g->room = g->room ? g->room * 2 : 64 * 1024;
		g->bytes = realloc(g->bytes, g->room);
		if (!g->bytes)
			abort();
	}
	n = read(fd, g->bytes + g->size, g->room - g->size);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	g->size += (size_t)n;
	return g->size > g->most ? -1 : n > 0;
}

static int too_slow(struct error *err)
{
	return error_set(err, ERROR_INVALID,
	                 "Reading the file took too long: it is too large or too complicated.");
}

/* Everything it says until it ends, or until it may not go on. */
static int listen_to(struct child *c, int seconds, struct gathered *out, struct gathered *complaints,
                     const struct wish *wish, struct error *err)
{
	int64_t end = clock_mono_ms() + seconds * INT64_C(1000);
	struct pollfd fds[2] = { { c->out, POLLIN, 0 }, { c->complaints, POLLIN, 0 } };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int more;

		if (extract_given_up(wish, err) < 0)
			return -1;
		if (clock_mono_ms() > end)
			return too_slow(err);
		if (poll(fds, 2, 200) <= 0)
			continue;
		if (fds[0].revents) {
			more = gather(out, c->out);
			if (more < 0)
				return error_set(err, ERROR_INVALID,
				                 "The file has too much text: at most %d MiB.",
				                 EXTRACT_MAX >> 20);
			fds[0].fd = more ? c->out : -1;
		}
		if (fds[1].revents) {
			more = gather(complaints, c->complaints);
			complaints->size =
			    complaints->size < complaints->most ? complaints->size : complaints->most;
			fds[1].fd = more ? c->complaints : -1;
		}
	}
	return 0;
}

static int wait_for(struct child *c, int stop)
{
	int status = 0;

	close(c->out);
	close(c->complaints);
	if (stop)
		kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* --- What it found ---------------------------------------------------------------------------------------------- */

static int has(const struct gathered *g, const char *what)
{
	return g->size && memmem(g->bytes, g->size, what, strlen(what)) != NULL;
}

/* Why there is no text, in a sentence for the owner of the file. */
static int explain(const struct format *f, int status, const struct gathered *complaints, struct error *err)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1, n = (int)complaints->size;

	if (code == VERDICT_CANNOT_RUN)
		return error_internal(err, "parley-extract: %.*s", n, n ? complaints->bytes : "");
	if (code == VERDICT_TOO_SLOW || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		return too_slow(err);
	if (code == VERDICT_SAYS_WHY) {
		while (n && complaints->bytes[n - 1] == '\n')
			n--;
		return error_set(err, ERROR_INVALID, "%.*s", n, n ? complaints->bytes : "");
	}
	if (code == VERDICT_TOO_LARGE)
		return error_set(err, ERROR_INVALID,
		                 "The file is too large once unpacked, or too complicated.");
	if (code == VERDICT_ENCRYPTED || has(complaints, "Incorrect password") ||
	    has(complaints, "encrypted"))
		return error_set(err, ERROR_INVALID,
		                 "The file is encrypted: it cannot be read without its password.");
	if (code == 3 && f->pages)
		return error_set(err, ERROR_INVALID,
		                 "The PDF is protected: its author does not allow copying text from it.");
	return error_set(err, ERROR_INVALID,
	                 "The file cannot be read as %s: it is damaged or something else.", f->words);
}

/* The text comes behind lines that tell of it: its title, a warning, where a page sends its reader. */
static void take_head(struct extracted *ret)
{
	struct {
		char *to;
		size_t size;
	} lines[] = { { ret->title, sizeof ret->title },     { ret->warning, sizeof ret->warning },
		      { ret->refresh, sizeof ret->refresh }, { ret->base, sizeof ret->base },
		      { ret->scans, sizeof ret->scans },     { NULL, 0 } };
	size_t at = 0;

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *eol = at < ret->size ? memchr(ret->bytes + at, '\n', ret->size - at) : NULL;
		size_t n = eol ? (size_t)(eol - ret->bytes) - at : 0;

		if (!eol)
			break;
		if (!lines[i].to)
			ret->links = extract_copy(ret->bytes + at, n);
		else if (n < lines[i].size)
			memcpy(lines[i].to, ret->bytes + at, n);
		at += n + 1;
	}
	ret->size -= at;
	if (ret->size)
		memmove(ret->bytes, ret->bytes + at, ret->size);
}

int extract_once(const struct extractors *e, const struct format *format, int file, const char *const *pages,
                 const struct wish *wish, struct extracted *ret, struct error *err)
{
	int patience = format->seconds <= EXTRACT_SECONDS / 2 ? EXTRACT_SECONDS : format->seconds * 3;
	struct child child = { .out = -1, .complaints = -1 };
	struct gathered out = { .most = EXTRACT_MAX }, complaints = { .most = 4096 };
	int rc, status;

	*ret = (struct extracted){ 0 };
	if (lseek(file, 0, SEEK_SET) < 0)
		return error_internal(err, "lseek: %s", strerror(errno));
	if (start(&child, e, format, wish->links && format->markup, file, pages, err) < 0)
		return -1;
	rc = listen_to(&child, patience, &out, &complaints, wish, err);
	status = wait_for(&child, rc < 0);
	if (rc == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		rc = explain(format, status, &complaints, err);
	free(complaints.bytes);
	if (rc < 0) {
		free(out.bytes);
		return -1;
	}
	ret->bytes = out.bytes;
	ret->size = out.size;
	take_head(ret);
	return 0;
}

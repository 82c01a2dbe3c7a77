#include "svc-documents/ingest/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "svc-documents/helper/verdict.h"

int extract_file(struct error *err)
{
	int fd = memfd_create("document", MFD_CLOEXEC);

	return fd >= 0 ? fd : error_internal(err, "memfd_create: %s", strerror(errno));
}

int extract_write(int file, const void *bytes, size_t size, struct error *err)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(file, at, size);

		if (n < 0 && errno != EINTR)
			return error_internal(err, "writing to memory: %s", strerror(errno));
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* --- Places ------------------------------------------------------------------------------------------------------ */

struct extractors {
	const char *program;
	char megabytes[16];
	const char *languages; /* of text in pictures */
	atomic_int ocr;        /* can that be read? */
	pthread_t finds_ocr;
	bool finding;
	atomic_bool closing;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* places, or ocr */
	int places;
};

enum { OCR_UNKNOWN, OCR_MISSING, OCR_THERE };
enum { LOOK_MS = 200 /* whether who waits is still to wait */, OCR_AFTER_MS = 1000 };

struct extractors *extractors_open(const char *program, int megabytes, int places, const char *languages)
{
	struct extractors *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	e->program = program;
	snprintf(e->megabytes, sizeof e->megabytes, "%d", megabytes);
	e->languages = languages;
	e->places = places;
	pthread_mutex_init(&e->lock, NULL);
	cond_init_monotonic(&e->changed);
	return e;
}

void extractors_close(struct extractors *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->closing, true);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	if (e->finding)
		pthread_join(e->finds_ocr, NULL);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* Why nothing further is to be done for this wish: -1, else 0. */
static int given_up(const struct wish *w, struct error *err)
{
	if (w->cancelled && atomic_load(w->cancelled))
		return error_busy(err, 5, "the service is stopping");
	if (w->wanted && !w->wanted(w->arg))
		return error_set(err, ERROR_NOT_FOUND, "the document was deleted");
	return 0;
}

static bool place_is_free(const struct extractors *e)
{
	return e->places > 0;
}

static bool ocr_is_known(const struct extractors *e)
{
	return atomic_load(&e->ocr) != OCR_UNKNOWN;
}

/* With the lock held, which is let go meanwhile. */
static int wait_until(struct extractors *e, bool (*holds)(const struct extractors *e), const struct wish *w,
                      struct error *err)
{
	int rc = 0;

	while (!holds(e) && rc == 0) {
		(void)cond_wait_until(&e->changed, &e->lock, clock_mono_ms() + LOOK_MS);
		pthread_mutex_unlock(&e->lock);
		rc = given_up(w, err);
		if (rc == 0 && w->deadline && clock_unix_ms() > w->deadline)
			rc = error_busy(err, 5, "too many files are being read at once");
		pthread_mutex_lock(&e->lock);
	}
	return rc;
}

static int take_place(struct extractors *e, const struct wish *w, struct error *err)
{
	int rc;

	pthread_mutex_lock(&e->lock);
	rc = wait_until(e, place_is_free, w, err);
	e->places -= rc == 0;
	pthread_mutex_unlock(&e->lock);
	return rc;
}

/* Whoever has a scan at hand waits for it. */
static int know_ocr(struct extractors *e, const struct wish *w, struct error *err)
{
	int rc;

	pthread_mutex_lock(&e->lock);
	rc = wait_until(e, ocr_is_known, w, err);
	pthread_mutex_unlock(&e->lock);
	return rc;
}

static void give_place(struct extractors *e)
{
	pthread_mutex_lock(&e->lock);
	e->places++;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

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

		if (given_up(wish, err) < 0)
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

/* Of bytes that have no end of their own. */
static char *copy(const char *bytes, size_t size)
{
	char *ret = calloc(1, size + 1);

	if (!ret)
		abort();
	if (size)
		memcpy(ret, bytes, size);
	return ret;
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
			ret->links = copy(ret->bytes + at, n);
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

void extract_drop(struct extracted *x)
{
	free(x->bytes);
	free(x->links);
	x->bytes = x->links = NULL;
}

/* A text of nothing has nothing but its warning to say. */
static int check_text(const struct extracted *x, bool ocr, struct error *err)
{
	for (size_t i = 0; i < x->size; i++)
		if (!strchr(" \n\f", x->bytes[i]))
			return 0;
	if (!*x->scans)
		return 0;
	return ocr ? error_set(err, ERROR_INVALID,
	                       "No text can be recognised in its pages, which are pictures.")
	           : error_set(err, ERROR_INVALID, "%s That (tesseract) is not installed here.", x->warning);
}

/* A scan is looked at once more, as pictures. */
static int run(struct extractors *e, const struct format *format, int file, const struct wish *wish,
               struct extracted *ret, struct error *err)
{
	int rc = extract_once(e, format, file, NULL, wish, ret, err);

	if (rc == 0 && *ret->scans)
		rc = know_ocr(e, wish, err);
	if (rc == 0 && *ret->scans && extractors_ocr(e))
		rc = scan_pages(e, file, wish, ret, err);
	if (rc == 0)
		rc = check_text(ret, extractors_ocr(e), err);
	if (rc < 0)
		extract_drop(ret);
	return rc;
}

int extract_run(struct extractors *e, const struct format *format, int file, const struct wish *wish,
                struct extracted *ret, struct error *err)
{
	int rc;

	*ret = (struct extracted){ 0 };
	if (take_place(e, wish, err) < 0)
		return -1;
	rc = run(e, format, file, wish, ret, err);
	give_place(e);
	return rc;
}

/* What the helper says of itself. */
static int ask_helper(struct extractors *e, const struct format *what, char **ret, struct error *err)
{
	struct extracted said;
	int file = extract_file(err), rc;

	if (file < 0)
		return -1;
	rc = extract_run(e, what, file, &(struct wish){ .cancelled = &e->closing }, &said, err);
	close(file);
	if (rc < 0)
		return -1;
	*ret = copy(said.bytes, said.size);
	extract_drop(&said);
	return 0;
}

int extractors_try(struct extractors *e, char **ret, struct error *err)
{
	static const struct format jail = { .name = "jail", .words = "a jail", .seconds = 5 };

	return ask_helper(e, &jail, ret, err);
}

/* Tesseract's languages take 150 ms of a processor to load, and there are others that start. Who brings a picture waits. */
static void leave_the_start_to_others(struct extractors *e)
{
	int64_t until = clock_mono_ms() + OCR_AFTER_MS;

	pthread_mutex_lock(&e->lock);
	while (!atomic_load(&e->closing) && cond_wait_until(&e->changed, &e->lock, until) == 0)
		;
	pthread_mutex_unlock(&e->lock);
}

static void *find_ocr(void *arg)
{
	static const struct format ocr = { .name = "ocr", .words = "a picture", .seconds = 20 };
	struct extractors *e = arg;
	struct error err = { 0 };
	char *by = NULL;
	bool there;

	leave_the_start_to_others(e);
	there = ask_helper(e, &ocr, &by, &err) == 0;
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->ocr, there ? OCR_THERE : OCR_MISSING);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	if (there)
		log_line(LOG_INFO, "text in pictures is read", LOG_TEXT("by", by));
	else if (err.code == ERROR_INVALID)
		log_line(LOG_INFO, "text in pictures is not read: tesseract is not installed");
	else if (!atomic_load(&e->closing))
		log_line(LOG_ERROR, "text in pictures is not read", LOG_TEXT("reason", err.message),
		         LOG_TEXT("detail", err.detail));
	free(by);
	return NULL;
}

void extractors_find_ocr(struct extractors *e)
{
	e->finding = true;
	e->finds_ocr = thread_start(find_ocr, e);
}

bool extractors_ocr(const struct extractors *e)
{
	return atomic_load(&e->ocr) != OCR_MISSING;
}

bool extractors_take(const struct extractors *e, const struct format *format)
{
	return format->reader == FORMAT_OCR ? extractors_ocr(e) : format->reader != FORMAT_REFUSED;
}

const char *extract_without(const struct format *format)
{
	return format->reader == FORMAT_OCR
	           ? ", whose text can only be read by tesseract, which is not installed here"
	           : "";
}

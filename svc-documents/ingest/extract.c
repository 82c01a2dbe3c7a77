#include "svc-documents/ingest/extractors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"

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

int extract_given_up(const struct wish *w, struct error *err)
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
		rc = extract_given_up(w, err);
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

/* --- What it found ---------------------------------------------------------------------------------------------- */

char *extract_copy(const char *bytes, size_t size)
{
	char *ret = calloc(1, size + 1);

	if (!ret)
		abort();
	if (size)
		memcpy(ret, bytes, size);
	return ret;
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
	*ret = extract_copy(said.bytes, said.size);
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

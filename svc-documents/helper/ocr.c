/* Tesseract by its C interface, which is not there when this is built. */
#include "svc-documents/helper/ocr.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK, PARAGRAPH, LINE, WORD };        /* tesseract's levels */
enum { UP, RIGHT, DOWN, LEFT };               /* where the top of a page is */
enum { WITH_ORIENTATION = 1, AUTOMATIC = 3 }; /* how it looks for text */
enum {
	TALL = 842 /* points of a page */,
	SURE = 30,
	SURE_OF_LINE = 60 /* of 100: guesses at less say nothing */
};
enum {
	SIDE_LEAST = 1600,         /* pixels: a smaller picture is enlarged */
	SIDE_MOST = 4000,          /* a larger one is made smaller */
	MEGAPIXELS_IN_COLOUR = 40, /* decoded they take five bytes each */
	MEGAPIXELS = 100,          /* and grey ones two */
	IMAGES_MOST = 100,         /* in one file */
};

/* Functions of libtesseract, and of the leptonica that it brings. */
#define FUNCTIONS                                                                                           \
	F(const char *, TessVersion, (void))                                                                \
	F(void *, TessBaseAPICreate, (void))                                                                \
	F(int, TessBaseAPIInit3, (void *, const char *, const char *))                                      \
	F(char **, TessBaseAPIGetLoadedLanguagesAsVector, (const void *))                                   \
	F(char **, TessBaseAPIGetAvailableLanguagesAsVector, (const void *))                                \
	F(void, TessBaseAPISetPageSegMode, (void *, int))                                                   \
	F(void, TessBaseAPISetImage, (void *, const unsigned char *, int, int, int, int))                   \
	F(void, TessBaseAPISetImage2, (void *, struct Pix *))                                               \
	F(void, TessBaseAPISetSourceResolution, (void *, int))                                              \
	F(int, TessBaseAPIRecognize, (void *, void *))                                                      \
	F(void *, TessBaseAPIGetIterator, (void *))                                                         \
	F(void, TessBaseAPIClear, (void *))                                                                 \
	F(void *, TessMonitorCreate, (void))                                                                \
	F(void, TessMonitorSetDeadlineMSecs, (void *, int))                                                 \
	F(void *, TessResultIteratorGetPageIterator, (void *))                                              \
	F(int, TessResultIteratorNext, (void *, int))                                                       \
	F(void, TessResultIteratorDelete, (void *))                                                         \
	F(char *, TessResultIteratorGetUTF8Text, (const void *, int))                                       \
	F(float, TessResultIteratorConfidence, (const void *, int))                                         \
	F(const char *, TessResultIteratorWordFontAttributes,                                               \
	  (const void *, int *, int *, int *, int *, int *, int *, int *, int *))                           \
	F(void, TessDeleteText, (const char *))                                                             \
	F(int, TessPageIteratorIsAtBeginningOf, (const void *, int))                                        \
	F(int, TessPageIteratorBoundingBox, (const void *, int, int *, int *, int *, int *))                \
	F(void, TessPageIteratorOrientation, (void *, int *, int *, int *, float *))                        \
	F(int, setMsgSeverity, (int))                                                                       \
	F(int, pixReadHeaderMem, (const unsigned char *, size_t, int *, int *, int *, int *, int *, int *)) \
	F(struct Pix *, pixReadMem, (const unsigned char *, size_t))                                        \
	F(struct Pix *, pixReadMemFromMultipageTiff, (const unsigned char *, size_t, size_t *))             \
	F(struct Pix *, pixRemoveAlpha, (struct Pix *))                                                     \
	F(struct Pix *, pixConvertTo8, (struct Pix *, int))                                                 \
	F(struct Pix *, pixScale, (struct Pix *, float, float))                                             \
	F(int, pixGetWidth, (struct Pix *))                                                                 \
	F(int, pixGetHeight, (struct Pix *))                                                                \
	F(void, pixDestroy, (struct Pix **))

struct ocr {
#define F(type, name, arguments) type(*name) arguments;
	FUNCTIONS
#undef F
	void *api, *monitor;
};

/* --- Opening ------------------------------------------------------------------------------------------------------ */

static bool find_all(struct ocr *o, void *library)
{
#define F(type, name, arguments)                    \
	*(void **)&o->name = dlsym(library, #name); \
	if (!o->name)                               \
		return false;
	FUNCTIONS
#undef F
	return true;
}

/* C++ ends a program that gets no memory. */
static void no_memory(int signal)
{
	(void)signal;
	_exit(VERDICT_TOO_LARGE);
}

/* What it opens when it first looks at a picture shall be open before the jail closes. */
static bool warm_up(struct ocr *o)
{
	unsigned char white[64 * 64];

	memset(white, 255, sizeof white);
	o->TessBaseAPISetImage(o->api, white, 64, 64, 1, 64);
	if (o->TessBaseAPIRecognize(o->api, NULL) != 0)
		return false;
	o->TessBaseAPIClear(o->api);
	return true;
}

static bool start(struct ocr *o, const char *languages)
{
	signal(SIGABRT, no_memory);
	o->setMsgSeverity(6); /* nothing: what is said is for people */
	stderr = fopen("/dev/null", "we");
	o->api = o->TessBaseAPICreate();
	o->monitor = o->TessMonitorCreate();
	if (!stderr || o->TessBaseAPIInit3(o->api, NULL, languages) != 0)
		return false;
	o->TessBaseAPISetPageSegMode(o->api, AUTOMATIC);
	for (char **l = o->TessBaseAPIGetAvailableLanguagesAsVector(o->api); l && *l; l++)
		if (strcmp(*l, "osd") == 0)
			o->TessBaseAPISetPageSegMode(o->api, WITH_ORIENTATION);
	return warm_up(o);
}

struct ocr *ocr_open(const char *languages)
{
	struct ocr *o = calloc(1, sizeof *o);
	void *library;

	/* Threads are not for the jail. The library reads this as it is loaded. */
	if (!o || setenv("OMP_THREAD_LIMIT", "1", 1) < 0)
		end(VERDICT_TOO_LARGE, "out of memory");
	library = dlopen("libtesseract.so.5", RTLD_NOW);
	if (!library || !find_all(o, library) || !start(o, languages)) {
		free(o);
		return NULL;
	}
	return o;
}

void ocr_describe(const struct ocr *o, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "tesseract %s", o->TessVersion());
	char **l = o->TessBaseAPIGetLoadedLanguagesAsVector(o->api);

	for (int i = 0; l && l[i] && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%c%s", i ? '+' : ' ', l[i]);
}

/* --- A page ------------------------------------------------------------------------------------------------------- */

struct canvas {
	int width, height; /* pixels */
	float scale;       /* points of a pixel */
};

/* x, y, width, height in points as its reader holds the page, whichever way it lay. */
static bool box_of(const struct ocr *o, void *it, int level, const struct canvas *s, float box[4])
{
	int left, top, right, bottom, orientation = UP, direction, order;
	float skew;

	if (!o->TessPageIteratorBoundingBox(it, level, &left, &top, &right, &bottom))
		return false;
	o->TessPageIteratorOrientation(it, &orientation, &direction, &order, &skew);
	box[0] = (float)(orientation == UP      ? left
	                 : orientation == RIGHT ? top
	                 : orientation == DOWN  ? s->width - right
	                                        : s->height - bottom) *
	         s->scale;
	box[1] = (float)(orientation == UP      ? top
	                 : orientation == RIGHT ? s->width - right
	                 : orientation == DOWN  ? s->height - bottom
	                                        : left) *
	         s->scale;
	box[2] = (float)(orientation == UP || orientation == DOWN ? right - left : bottom - top) * s->scale;
	box[3] = (float)(orientation == UP || orientation == DOWN ? bottom - top : right - left) * s->scale;
	return true;
}

/* How large its letters are: a line's box says less, which grows with each p and shrinks without one. */
static float height_of(const struct ocr *o, const void *it, float box_height)
{
	int bold, italic, underlined, monospace, serif, small, points = 0, font;

	o->TessResultIteratorWordFontAttributes(it, &bold, &italic, &underlined, &monospace, &serif, &small,
	                                        &points, &font);
	return points > 0 ? (float)points : box_height;
}

static void take_words(struct ocr *o, void *it, const struct canvas *s, struct pdf *p)
{
	void *page = o->TessResultIteratorGetPageIterator(it);
	bool block = true, line = true, legible = true;
	float box[4];

	do {
		char *text = o->TessResultIteratorGetUTF8Text(it, WORD);

		block = block || o->TessPageIteratorIsAtBeginningOf(page, PARAGRAPH);
		line = line || o->TessPageIteratorIsAtBeginningOf(page, LINE);
		if (o->TessPageIteratorIsAtBeginningOf(page, LINE))
			legible = o->TessResultIteratorConfidence(it, LINE) >= SURE_OF_LINE;
		if (text && *text && legible && o->TessResultIteratorConfidence(it, WORD) >= SURE) {
			if (block && box_of(o, page, PARAGRAPH, s, box))
				pdf_add_block(p, box);
			if ((block || line) && box_of(o, page, LINE, s, box)) {
				box[3] = height_of(o, it, box[3]);
				pdf_add_line(p, box);
			}
			block = line = false;
			if (box_of(o, page, WORD, s, box)) {
				box[3] = 0; /* its line tells */
				pdf_add_word(p, box, text, strlen(text));
			}
		}
		o->TessDeleteText(text);
	} while (o->TessResultIteratorNext(it, WORD));
}

/* The picture is set. */
static bool recognise(struct ocr *o, int width, int height, int seconds, struct pdf *p)
{
	const struct canvas s = { width, height, (float)TALL / (float)(width > height ? width : height) };
	const float box[4] = { 0, 0, (float)width * s.scale, (float)height * s.scale };
	bool read;
	void *it;

	pdf_add_page(p, box);
	/* So that its points are ours. */
	o->TessBaseAPISetSourceResolution(o->api, (int)(72 / s.scale));
	o->TessMonitorSetDeadlineMSecs(o->monitor, seconds * 1000);
	read = o->TessBaseAPIRecognize(o->api, o->monitor) == 0;
	it = read ? o->TessBaseAPIGetIterator(o->api) : NULL;
	if (it) {
		take_words(o, it, &s, p);
		o->TessResultIteratorDelete(it);
	}
	o->TessBaseAPIClear(o->api);
	return read;
}

bool ocr_grey(struct ocr *o, const unsigned char *grey, int width, int height, int seconds, struct pdf *p)
{
	o->TessBaseAPISetImage(o->api, grey, width, height, 1, width);
	return recognise(o, width, height, seconds, p);
}

/* --- Pictures ----------------------------------------------------------------------------------------------------- */

/* The one picture becomes the other. */
static void replace(struct ocr *o, struct Pix **pix, struct Pix *by)
{
	o->pixDestroy(pix);
	*pix = by;
	if (!by)
		end(VERDICT_TOO_LARGE, "out of memory");
}

static bool picture(struct ocr *o, struct Pix *pix, int seconds, struct pdf *p)
{
	bool read;
	int width = o->pixGetWidth(pix), height = o->pixGetHeight(pix),
	    side = width > height ? width : height;

	replace(o, &pix, o->pixRemoveAlpha(pix)); /* on white */
	replace(o, &pix, o->pixConvertTo8(pix, 0));
	if (side < SIDE_LEAST)
		replace(o, &pix, o->pixScale(pix, 2, 2));
	else if (side > SIDE_MOST)
		replace(o, &pix,
		        o->pixScale(pix, (float)SIDE_MOST / (float)side, (float)SIDE_MOST / (float)side));
	o->TessBaseAPISetImage2(o->api, pix);
	read = recognise(o, o->pixGetWidth(pix), o->pixGetHeight(pix), seconds, p);
	o->pixDestroy(&pix);
	return read;
}

static void check_size(const struct ocr *o, const unsigned char *bytes, size_t size)
{
	int format, width, height, bits, samples, map, most;

	if (o->pixReadHeaderMem(bytes, size, &format, &width, &height, &bits, &samples, &map) != 0)
		end(VERDICT_DAMAGED, "no picture");
	most = samples > 1 || bits > 8 || map ? MEGAPIXELS_IN_COLOUR : MEGAPIXELS;
	if (width < 1 || height < 1 || (long)width * height > most * 1000000L)
		end(VERDICT_SAYS_WHY,
		    "The image is too large: at most 40 megapixels in colour are read, or 100 without.");
}

static bool is_tiff(const char *bytes, size_t size)
{
	return size > 4 && (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0);
}

/* The pictures of a file. Returns whether all are read. Those behind the first tell their size only as they are decoded,
 * which the jail's memory bounds. */
static bool tiff(struct ocr *o, const unsigned char *bytes, size_t size, int seconds, struct pdf *p)
{
	size_t offset = 0;
	bool all = true;

	do {
		struct Pix *pix =
		    p->page_count < IMAGES_MOST ? o->pixReadMemFromMultipageTiff(bytes, size, &offset) : NULL;

		if (!pix)
			return false;
		all = picture(o, pix, seconds, p) && all;
	} while (offset != 0);
	return all;
}

void image_read(struct ocr *o, const char *text, size_t size, int seconds, struct out *out)
{
	const unsigned char *bytes = (const unsigned char *)text;
	struct pdf p = { 0 };
	struct Pix *pix;
	bool all;

	check_size(o, bytes, size);
	if (is_tiff(text, size)) {
		all = tiff(o, bytes, size, seconds, &p);
	} else {
		pix = o->pixReadMem(bytes, size);
		if (!pix)
			end(VERDICT_DAMAGED, "no picture");
		all = picture(o, pix, seconds, &p);
	}
	pdf_judge(&p);
	pdf_write(&p, out);
	if (p.word_count == 0 && !all)
		end(p.page_count ? VERDICT_TOO_SLOW : VERDICT_DAMAGED, "no page can be read");
	if (p.word_count == 0)
		end(VERDICT_SAYS_WHY, "No text can be recognised in the image.");
	if (!all)
		snprintf(out->warning, sizeof out->warning, "Some pages of the image could not be read.");
}

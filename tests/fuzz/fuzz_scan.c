/* links: tests/fuzz/kept.c svc-documents/helper/scan.c $(READERS) -lgumbo -lxml2 -larchive */
/* scan: any bytes as what pdftoppm writes, in pieces as long as the first byte says: each picture is as large as its head says, and a page. */
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include "svc-documents/helper/ocr.h"
#include "tests/fuzz/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct {
	const char *bytes;
	size_t size, piece;
	unsigned long dark, pages;
} input;
static jmp_buf out_of_it;

void end(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	longjmp(out_of_it, 1);
}

/* --- What stands round it: the program, and who recognises ---------------------------------------------------------- */

const char *jail_find(const char *name)
{
	return name;
}

void jail_start(const struct jail *jail, const char *program, char *const argv[], struct jailed *ret)
{
	(void)jail;
	(void)program;
	(void)argv;
	*ret = (struct jailed){ 0 };
}

void jail_finish(struct jailed *p, jail_sink *sink, void *arg, int *status)
{
	(void)p;
	*status = 0;
	for (size_t at = 0, n; at < input.size; at += n) {
		n = input.size - at < input.piece ? input.size - at : input.piece;
		sink(arg, input.bytes + at, n);
	}
}

bool ocr_grey(struct ocr *ocr, const unsigned char *grey, int width, int height, int seconds, struct pdf *p)
{
	const float box[4] = { 0, 0, (float)width, (float)height };

	(void)ocr;
	if (width < 1 || height < 1 || seconds < 1)
		abort();
	for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
		input.dark += grey[i] < 128; /* all of it is there */
	pdf_add_page(p, box);
	pdf_add_block(p, box);
	pdf_add_line(p, box);
	pdf_add_word(p, box, "page", 4);
	input.pages++;
	return input.dark % 2;
}

static void read_one(void)
{
	const struct jail jail = { .seconds = 100000, .megabytes = 256 };
	struct out o = { 0 };

	if (setjmp(out_of_it))
		return;
	scan_read(NULL, &jail, 1, 9, &o);
	if (o.size > 64 * (input.size + 1))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 2)
		return 0;
	input.bytes = (const char *)bytes + 1;
	input.size = size - 1;
	input.piece = 1 + bytes[0];
	kept_begin();
	read_one();
	kept_end();
	return 0;
}

/* links: tests/fuzz/kept.c $(READERS) -lgumbo -lxml2 -larchive */
/* parts: the first byte chooses a format of zipped XML, XML itself, a feed, or either of them gzipped; any bytes are read or refused without a fault. */
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "svc-documents/helper/parts.h"
#include "tests/fuzz/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static jmp_buf out_of_it;

void end(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	longjmp(out_of_it, 1);
}

/* As sitemaps and feeds come. */
static void gzip_read(int for_links, int file, struct out *o)
{
	struct out links = { 0 };
	struct part all;

	parts_unzip(file, &all);
	if (all.size > 100000) /* is read, and takes its time */
		return;
	o->links = &links;
	(for_links ? xml_links : xml_read)(all.bytes, all.size, o);
}

static void read_one(int kind, int file, const char *bytes, size_t size)
{
	static void (*const readers[])(int, struct out *) = { docx_read, pptx_read, xlsx_read, odt_read,
		                                              epub_read };
	struct out o = { 0 }, links = { 0 };

	if (setjmp(out_of_it))
		return;
	if (kind < 5)
		readers[kind](file, &o);
	else if (kind == 5)
		xml_read(bytes, size, &o);
	else if (kind == 6)
		o.links = &links, xml_links(bytes, size, &o);
	else
		gzip_read(kind == 7, file, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *all = (const char *)bytes + 1;
	int file;

	if (size < 2 || size > 20000 ||
	    memmem(bytes, size, "encoding", 8)) /* the C library keeps its tables for good, too */
		return 0;
	file = memfd_create("fuzz", MFD_CLOEXEC);
	if (file < 0 || write(file, all, size - 1) != (ssize_t)size - 1 || lseek(file, 0, SEEK_SET) < 0)
		abort();
	kept_begin();
	read_one(bytes[0] % 9, file, all, size - 1);
	xmlResetLastError();
	kept_end();
	close(file);
	return 0;
}

/* links: svc-documents/helper/docx.c svc-documents/helper/docx_styles.c svc-documents/helper/pptx.c svc-documents/helper/xlsx.c svc-documents/helper/odt.c svc-documents/helper/epub.c svc-documents/helper/xml.c svc-documents/helper/feed.c svc-documents/helper/parts.c svc-documents/helper/html.c svc-documents/helper/html_furniture.c svc-documents/helper/html_table.c svc-documents/helper/links.c svc-documents/helper/html_write.c svc-documents/helper/tame.c svc-documents/helper/out.c -larchive -lgumbo -lxml2 */
/* parts: the first byte chooses a format of zipped XML, or XML itself; any bytes are read or refused without a fault. */
#include <sanitizer/allocator_interface.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "svc-documents/helper/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__asan_default_options(void);

/* What a run keeps for good would be looked for after every run. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* The readers live in a program that ends when it has read one file, and give back little: what a run takes and keeps is
 * given back here, but for the libraries' own words of a few bytes. */
enum {
	SMALL = 64,
	KEPT_MAX = 1 << 20,
	WARM = 100 /* inputs, until the libraries have what they keep for good */
};
static const volatile void *kept[KEPT_MAX];
static size_t kept_count;
static int recording;
static jmp_buf out_of_it;

static void taken(const volatile void *at, size_t size)
{
	if (recording && size > SMALL && kept_count < KEPT_MAX)
		kept[kept_count++] = at;
}

static void given_back(const volatile void *at)
{
	for (size_t i = kept_count; recording && i-- > 0 && kept_count - i < 4096;)
		if (kept[i] == at) {
			kept[i] = kept[--kept_count];
			return;
		}
}

void end(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	longjmp(out_of_it, 1);
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
	else
		o.links = &links, xml_links(bytes, size, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int begun;
	const char *all = (const char *)bytes + 1;
	int file;

	if (begun++ == 0)
		__sanitizer_install_malloc_and_free_hooks(taken, given_back);
	if (size < 2 || size > 20000 ||
	    memmem(bytes, size, "encoding", 8)) /* the C library keeps its tables for good, too */
		return 0;
	file = memfd_create("fuzz", MFD_CLOEXEC);
	if (file < 0 || write(file, all, size - 1) != (ssize_t)size - 1 || lseek(file, 0, SEEK_SET) < 0)
		abort();
	recording = begun > WARM;
	read_one(bytes[0] % 7, file, all, size - 1);
	xmlResetLastError();
	recording = 0;
	for (size_t i = 0; i < kept_count; i++)
		free((void *)kept[i]);
	kept_count = 0;
	close(file);
	return 0;
}

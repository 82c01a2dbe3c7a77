#include "tests/unit/reader_rig.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

__attribute__((visibility("default"))) const char *__asan_default_options(void);

/* A parsed page stays until its program ends, on purpose: html_read() says why. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void end(int verdict, const char *why)
{
	fail_msg("refused with %d: %s", verdict, why);
	abort();
}

int reader_zip(const char *const *files)
{
	struct archive *zip = archive_write_new();
	int file = memfd_create("zip", 0);

	archive_write_set_format_zip(zip);
	assert_int_equal(archive_write_open_fd(zip, file), ARCHIVE_OK);
	for (; *files; files += 2) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, files[0]);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_size(entry, (la_int64_t)strlen(files[1]));
		archive_write_header(zip, entry);
		archive_write_data(zip, files[1], strlen(files[1]));
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
	lseek(file, 0, SEEK_SET);
	return file;
}

void reader_check(const struct reader_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *bytes = strdup(cases[i].bytes);
		struct out o = { 0 };

		print_message("%s\n", cases[i].name);
		assert_non_null(bytes);
		cases[i].read(bytes, &o);
		o.newlines = 0;
		o.space = false;
		out_plain(&o, "", 1);
		assert_string_equal(o.at, cases[i].want);
		free(o.at);
		free(bytes);
	}
}

/* links: $(READERS) -lgumbo -lxml2 -larchive */
/* readers: the first byte chooses mail, RTF, CSV, JSON or subtitles; any bytes are read without a fault, their text not much longer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/recode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A jump would leak; files that are refused end the run of this input, which the fuzzer takes for a fault: so none is
 * refused here but by its nesting, which takes more bytes than it gives. */
void end(int verdict, const char *why)
{
	(void)verdict;
	(void)why;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct recoder *recoder;
	const char *file = (const char *)bytes + 1;
	struct out o = { 0 };

	if (!recoder)
		recoder = recoder_open();
	if (size == 0 || size > 4000 || memmem(bytes, size, "html", 4)) /* pages have a target of their own */
		return 0;
	switch (bytes[0] % 5) {
	case 0: mail_read(recoder, file, size - 1, &o); break;
	case 1: rtf_read(recoder, file, size - 1, &o); break;
	case 2: csv_read(file, size - 1, &o); break;
	case 3: json_read(file, size - 1, &o); break;
	default: subtitles_read(file, size - 1, &o); break;
	}
	if (o.size > 600 * (size + 1))
		abort();
	free(o.at);
	return 0;
}

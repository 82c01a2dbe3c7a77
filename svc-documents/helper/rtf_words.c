#include "svc-documents/helper/rtf.h"

#include <stddef.h>
#include <string.h>

bool rtf_is_apart(const char *word)
{
	static const char *const words[] = {
		"fonttbl",   "colortbl",  "stylesheet",        "info",    "pict",     "header",
		"headerl",   "headerr",   "headerf",           "footer",  "footerl",  "footerr",
		"footerf",   "fldinst",   "themedata",         "objdata", "shprslt",  "datastore",
		"generator", "listtable", "listoverridetable", "rsidtbl", "xmlnstbl", "bkmkstart",
		"bkmkend",   NULL
	};

	for (const char *const *w = words; *w; w++)
		if (strcmp(*w, word) == 0)
			return true;
	return false;
}

short rtf_code_page(long charset)
{
	static const struct {
		short charset, page;
	} pages[] = { { 0, 1252 },   { 128, 932 },  { 129, 949 },  { 134, 936 },  { 136, 950 },
		      { 161, 1253 }, { 162, 1254 }, { 163, 1258 }, { 177, 1255 }, { 178, 1256 },
		      { 186, 1257 }, { 204, 1251 }, { 222, 874 },  { 238, 1250 } };

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (pages[i].charset == charset)
			return pages[i].page;
	return 0;
}

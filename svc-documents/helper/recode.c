#include "svc-documents/helper/recode.h"

#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/helper/helper.h"

static const struct {
	const char *label, *iconv;
} labels[] = {
	{ "windows-1252", "CP1252" }, /* the first: whatever is unknown */
	{ "utf-8", "UTF-8" },
	{ "iso-8859-1", "CP1252" },
	{ "us-ascii", "CP1252" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "windows-1250", "CP1250" },
	{ "windows-1251", "CP1251" },
	{ "koi8-r", "KOI8-R" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "windows-1253", "CP1253" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "windows-1254", "CP1254" },
	{ "iso-8859-9", "CP1254" },
	{ "windows-1255", "CP1255" },
	{ "windows-1256", "CP1256" },
	{ "windows-1257", "CP1257" },
	{ "windows-1258", "CP1258" },
	{ "windows-874", "CP874" },
	{ "windows-932", "CP932" },
	{ "shift_jis", "CP932" },
	{ "iso-2022-jp", "ISO-2022-JP" },
	{ "euc-jp", "EUC-JP" },
	{ "windows-936", "GB18030" },
	{ "gb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "windows-949", "CP949" },
	{ "euc-kr", "CP949" },
	{ "windows-950", "BIG5" },
	{ "big5", "BIG5" },
	{ "macintosh", "MACINTOSH" },
	{ "windows-437", "CP437" },
	{ "windows-850", "CP850" },
	{ "koi8-u", "KOI8-U" },
	{ "ks_c_5601-1987", "CP949" },
	{ "x-gbk", "GB18030" },
	{ "utf-16", "UTF-16" },
};
enum { UTF8 = 1, LABELS = sizeof labels / sizeof *labels };

struct recoder {
	iconv_t state[LABELS];
};

struct recoder *recoder_open(void)
{
	struct recoder *r = there(calloc(1, sizeof *r));

	for (size_t i = 0; i < LABELS; i++)
		r->state[i] = iconv_open("UTF-8", labels[i].iconv);
	if ((intptr_t)r->state[0] == -1)
		end(VERDICT_CANNOT_RUN, "iconv has no tables");
	return r;
}

static size_t beyond_ascii(const char *bytes, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += (bytes[i] & 0x80) != 0;
	return n;
}

char *recode(struct recoder *r, const char *label, const char *bytes, size_t size, size_t *ret_size)
{
	size_t room = size * 4 + 16, left = room, at = 0, rest = size, lost = 0;
	char *out = there(malloc(room + 1)), *to = out, *from = (char *)bytes;

	for (size_t i = 0; i < LABELS; i++)
		if (strcasecmp(labels[i].label, label) == 0 && (intptr_t)r->state[i] != -1)
			at = i;
	iconv(r->state[at], NULL, NULL, NULL, NULL);
	while (rest && iconv(r->state[at], &from, &rest, &to, &left) == (size_t)-1 && rest && left > 3) {
		memcpy(to, "\xef\xbf\xbd", 3);
		to += 3, left -= 3;
		from++, rest--;
		lost++;
	}
	iconv(r->state[at], NULL, NULL, &to,
	      &left); /* what it keeps: a letter of Hebrew waits for its points */
	*to = '\0';
	*ret_size = room - left;
	if (at != UTF8 || lost * 4 <= beyond_ascii(bytes, size))
		return out;
	free(out); /* UTF-8 that was said in vain, or taken for granted */
	return recode(r, labels[0].label, bytes, size, ret_size);
}

#include "svc-documents/ingest/charset_names.h"

#include <string.h>
#include <strings.h>

/* What browsers, and uchardet, call them, behind what iconv calls what is meant. A page that says in ASCII that it is UTF-16 is none. */
static const struct {
	const char *iconv, *labels;
} charsets[] = {
	{ "UTF-8",
	  "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf-16 utf-16le utf-16be" },
	{ "CP1252",
	  "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 latin1 l1 ascii us-ascii ansi_x3.4-1968 cp819 ibm819 iso-ir-100 csisolatin1" },
	{ "ISO-8859-2",
	  "iso-8859-2 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 latin2 l2 csisolatin2 iso-ir-101" },
	{ "CP1250", "windows-1250 cp1250 x-cp1250" },
	{ "ISO-8859-3", "iso-8859-3 iso8859-3 iso88593 iso_8859-3 latin3 l3" },
	{ "ISO-8859-4", "iso-8859-4 iso8859-4 iso88594 iso_8859-4 latin4 l4" },
	{ "ISO-8859-5", "iso-8859-5 iso8859-5 iso88595 iso_8859-5 cyrillic csisolatincyrillic iso-ir-144" },
	{ "CP1251", "windows-1251 cp1251 x-cp1251" },
	{ "KOI8-U", "koi8-r koi8-u koi koi8 koi8_r koi8-ru cskoi8r" },
	{ "CP866", "ibm866 cp866 866 csibm866" },
	{ "MAC-CYRILLIC", "x-mac-cyrillic x-mac-ukrainian mac-cyrillic" },
	{ "ISO-8859-6",
	  "iso-8859-6 iso8859-6 iso88596 iso_8859-6 arabic asmo-708 ecma-114 iso-8859-6-e iso-8859-6-i csisolatinarabic" },
	{ "CP1256", "windows-1256 cp1256 x-cp1256" },
	{ "ISO-8859-7",
	  "iso-8859-7 iso8859-7 iso88597 iso_8859-7 greek greek8 ecma-118 elot_928 sun_eu_greek csisolatingreek" },
	{ "CP1253", "windows-1253 cp1253 x-cp1253" },
	{ "ISO-8859-8",
	  "iso-8859-8 iso8859-8 iso88598 iso_8859-8 iso-8859-8-i iso-8859-8-e hebrew visual logical csisolatinhebrew" },
	{ "CP1255", "windows-1255 cp1255 x-cp1255" },
	{ "CP1254",
	  "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 latin5 l5 csisolatin5" },
	{ "ISO-8859-10", "iso-8859-10 iso8859-10 latin6 l6" },
	{ "CP874", "windows-874 cp874 dos-874 iso-8859-11 iso8859-11 tis-620" },
	{ "ISO-8859-13", "iso-8859-13 iso8859-13" },
	{ "CP1257", "windows-1257 cp1257 x-cp1257" },
	{ "ISO-8859-14", "iso-8859-14 iso8859-14" },
	{ "ISO-8859-15", "iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 csisolatin9" },
	{ "ISO-8859-16", "iso-8859-16" },
	{ "CP1258", "windows-1258 cp1258 x-cp1258" },
	{ "VISCII", "viscii" },
	{ "MACINTOSH", "macintosh mac x-mac-roman csmacintosh" },
	{ "CP437", "ibm437 cp437" },
	{ "CP850", "ibm850 cp850" },
	{ "CP852", "ibm852 cp852" },
	{ "CP857", "ibm857" },
	{ "CP932", "shift_jis shift-jis sjis x-sjis ms_kanji ms932 windows-31j cp932 csshiftjis" },
	{ "EUC-JP-MS", "euc-jp x-euc-jp cseucpkdfmtjapanese" },
	{ "ISO-2022-JP-3", "iso-2022-jp csiso2022jp" },
	{ "GB18030",
	  "gb2312 gb_2312 gb_2312-80 csgb2312 iso-ir-58 csiso58gb231280 chinese gbk x-gbk gb18030 hz-gb-2312" },
	{ "BIG5-HKSCS", "big5 big5-hkscs cn-big5 csbig5 x-x-big5" },
	{ "EUC-TW", "euc-tw" },
	{ "CP949",
	  "euc-kr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean windows-949 uhc cp949 cseuckr csksc56011987 iso-ir-149" },
	{ "JOHAB", "johab" },
};

const char *charset_meaning(const char *label)
{
	size_t n = strlen(label);

	for (size_t i = 0; n && i < sizeof charsets / sizeof *charsets; i++)
		for (const char *s = charsets[i].labels; *s;) {
			size_t k = strcspn(s, " ");

			if (k == n && strncasecmp(s, label, n) == 0)
				return charsets[i].iconv;
			s += k + strspn(s + k, " ");
		}
	return NULL;
}

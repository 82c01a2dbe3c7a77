#include "svc-documents/formats.h"

#include <stdio.h>
#include <string.h>

#define HELPER(limit) .reader = FORMAT_HELPER, .seconds = (limit)
#define OFFICE "application/vnd.openxmlformats-officedocument."
#define OCR .reader = FORMAT_OCR, .seconds = 120, .pages = true
#define PLAIN .reader = FORMAT_PLAIN, .text = true

static const struct format formats[] = {
	{ "pdf", "a PDF", "PDF", HELPER(60), .pages = true, .media = "application/pdf" },
	{ "docx", "a Word document", "Word (.docx)", HELPER(20),
	  .media = OFFICE "wordprocessingml.document" },
	{ "pptx", "a PowerPoint presentation", "PowerPoint (.pptx)", HELPER(20), .pages = true,
	  .media = OFFICE "presentationml.presentation" },
	{ "xlsx", "an Excel workbook", "Excel (.xlsx)", HELPER(20), .media = OFFICE "spreadsheetml.sheet" },
	{ "odt", "an OpenDocument text", "OpenDocument text", HELPER(20),
	  .media = "application/vnd.oasis.opendocument.text" },
	{ "epub", "an EPUB book", "EPUB", HELPER(30), .media = "application/epub+zip" },
	{ "rtf", "an RTF document", "RTF", HELPER(10), .media = "application/rtf" },
	{ "eml", "a mail", "mail (.eml)", HELPER(10), .media = "message/rfc822" },
	{ "html", "a web page", "HTML", HELPER(20), .text = true, .markup = true, .media = "text/html" },
	{ "csv", "a CSV table", "CSV", HELPER(10), .text = true, .media = "text/csv" },
	{ "json", "JSON", "JSON", HELPER(10), .text = true, .media = "application/json" },
	{ "xml", "XML", "XML", HELPER(10), .text = true, .markup = true, .media = "application/xml" },
	{ "xml.gz", "compressed XML", NULL, HELPER(10), .markup = true, .media = "application/gzip" },
	{ "srt", "subtitles", "subtitles (.srt, .vtt)", HELPER(10), .text = true,
	  .media = "application/x-subrip" },
	{ "png", "a picture", "pictures of text (PNG, JPEG, TIFF, WebP, GIF, BMP)", OCR,
	  .media = "image/png" },
	{ "jpeg", "a picture", NULL, OCR, .media = "image/jpeg" },
	{ "tiff", "a picture", NULL, OCR, .media = "image/tiff" },
	{ "webp", "a picture", NULL, OCR, .media = "image/webp" },
	{ "gif", "a picture", NULL, OCR, .media = "image/gif" },
	{ "bmp", "a picture", NULL, OCR, .media = "image/bmp" },
	{ "md", "Markdown", "Markdown", PLAIN, .media = "text/markdown" },
	{ "txt", "text", "text", PLAIN, .media = "text/plain" },

	{ "office-encrypted",
	  "an Office document that is encrypted: it cannot be read without its password" },
	{ "office-old",
	  "a document of an old Office (.doc, .xls, .ppt): save it as .docx, .xlsx, .pptx or PDF" },
	{ "ods", "an OpenDocument spreadsheet: save it as .xlsx or CSV" },
	{ "odp", "an OpenDocument presentation: save it as .pptx or PDF" },
	{ "image", "an image of a kind that is not read: save it as PNG or JPEG" },
	{ "media", "a recording of sound or pictures" },
	{ "archive", "an archive: upload the files in it" },
	{ "program", "a program" },
	{ "database", "a database" },
	{ 0 },
};

const struct format *format_named(const char *name)
{
	for (const struct format *f = formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const char *formats_read(bool ocr, char *text, unsigned size)
{
	unsigned at = 0;

	*text = '\0';
	for (const struct format *f = formats; f->name && f->reader != FORMAT_REFUSED; f++) {
		const char *joint = at == 0                                      ? ""
		                    : f[1].name && f[1].reader != FORMAT_REFUSED ? ", "
		                                                                 : " and ";

		if (!f->plural || (f->reader == FORMAT_OCR && !ocr))
			continue;
		at += (unsigned)snprintf(text + at, at < size ? size - at : 0, "%s%s", joint, f->plural);
		if (at >= size)
			break;
	}
	return text;
}

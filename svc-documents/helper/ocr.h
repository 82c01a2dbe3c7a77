/*
 * ocr: text in pictures, by tesseract where that is installed. Its library is loaded by name, with the languages' data,
 * before the jail closes; then pictures are taken apart in the same process, as other readers take files apart.
 *
 * A picture becomes a page of words with their places (pdf.h), and its text is judged and written like a PDF's.
 */
#ifndef PARLEY_DOCUMENTS_OCR_H
#define PARLEY_DOCUMENTS_OCR_H

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"
#include "svc-documents/helper/pdf.h"

struct ocr;
struct Pix; /* leptonica's */

/* languages: "eng+deu". NULL: tesseract is not there, or has the data of none of them. */
struct ocr *ocr_open(const char *languages);
/* "tesseract 5.3.0 (eng)" */
void ocr_describe(const struct ocr *ocr, char *text, size_t size);

/* A page of p more; false: it stays empty, for it could not be read in so many seconds. */
bool ocr_grey(struct ocr *ocr, const unsigned char *grey, int width, int height, int seconds, struct pdf *p);

/* The text of a picture; of the pages first to last of a PDF that are scans. */
void image_read(struct ocr *ocr, const char *bytes, size_t size, int seconds, struct out *o);
void scan_read(struct ocr *ocr, const struct jail *jail, int first, int last, struct out *o);

#endif

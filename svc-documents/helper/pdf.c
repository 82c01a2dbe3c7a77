/* The text of a PDF, by poppler's pdftotext. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"
#include "svc-documents/helper/pdf.h"

enum { BARE = 60 /* letters: a page with fewer says hardly anything */ };

/* --- Letters that are none ---------------------------------------------------------------------------------------- */

enum { JUDGED = 150 /* characters: of fewer nothing can be told */ };

struct letters {
	size_t all, letters, digits, vowels, beyond; /* beyond: bytes of other scripts */
};

static struct letters count_letters(const struct pdf *p, const struct pdf_page *page)
{
	struct letters n = { 0 };

	for (uint32_t i = 0; i < page->lines; i++) {
		const struct pdf_line *l = &p->lines[page->line + i];

		for (uint32_t k = 0; k < l->words; k++) {
			const struct pdf_word *w = &p->words[l->word + k];

			for (uint32_t c = 0; c < w->size; c++) {
				unsigned char one = (unsigned char)p->text[w->text + c];

				/* Not leaders of a table of contents, nor lines to be filled in. */
				n.all += one != '.' &&
				         !(c && ispunct(one) && p->text[w->text + c - 1] == (char)one);
				n.letters += isalpha(one) != 0;
				n.digits += isdigit(one) != 0;
				n.vowels += one < 0x80 && strchr("aeiouAEIOU", one);
				n.beyond += one >= 0x80;
			}
		}
	}
	return n;
}

/* Fonts that do not say which letters they show give others instead, one for each: hardly a vowel, or signs. No language that is
 * written in ASCII has a fifth of vowels only. */
static bool is_gibberish(const struct pdf *p, const struct pdf_page *page)
{
	struct letters n = count_letters(p, page);

	if (n.all < JUDGED || n.beyond * 20 > n.all)
		return false;
	/* Codes of parts and pins have hardly a vowel either, but digits. */
	return (n.letters >= JUDGED && n.vowels * 5 < n.letters && n.digits * 4 < n.letters) ||
	       (n.letters + n.digits) * 20 < n.all * 9;
}

/* Such pages are read as the pictures that they are. Returns how many there are. */
static size_t drop_gibberish(struct pdf *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->page_count; i++) {
		struct pdf_page *page = &p->pages[i];

		if (!is_gibberish(p, page))
			continue;
		for (uint32_t k = 0; k < page->lines; k++)
			p->lines[page->line + k].kind = PDF_GONE;
		page->letters = 0;
		count++;
	}
	return count;
}

/* How the program ended is how we end. */
static void check(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		end(VERDICT_TOO_SLOW, "pdftotext took too long");
	if (WIFSIGNALED(status))
		end(VERDICT_DAMAGED, "pdftotext was ended");
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status)); /* it has said why */
}

static void take(void *arg, const char *bytes, size_t size)
{
	pdf_parse(arg, bytes, size);
}

/* --- Pages without text ------------------------------------------------------------------------------------------- */

/* An image is a stream, and those lie open in the file: "/Subtype /Image". */
static bool has_images(void)
{
	static const char subtype[] = "/Subtype", image[] = "/Image";
	char bytes[64 * 1024];
	ssize_t n;

	for (off_t at = 0; (n = pread(0, bytes, sizeof bytes - 1, at)) > 32; at += n - 32) {
		const char *s = bytes;

		bytes[n] = '\0';
		while ((s = memmem(s, (size_t)(bytes + n - s), subtype, sizeof subtype - 1))) {
			s += sizeof subtype - 1;
			if (strncmp(s + strspn(s, " \r\n"), image, sizeof image - 1) == 0)
				return true;
		}
	}
	return false;
}

/* Which pages say hardly anything, from one to another; where these are too many to tell, all the rest. */
static void list_scans(const struct pdf *p, struct out *o)
{
	size_t at = 0;

	for (size_t i = 0, next; i < p->page_count; i = next + 1) {
		for (next = i; next < p->page_count && p->pages[next].letters < BARE;)
			next++;
		if (next > i && at + 2 * sizeof " 5000-5000" > sizeof o->scans)
			next = p->page_count;
		if (next > i)
			at += (size_t)snprintf(o->scans + at, sizeof o->scans - at, "%s%zu-%zu",
			                       at ? " " : "", i + 1, next);
	}
}

/* Ends with what there is to say when there is no text, and no picture to look at; else it is a warning. */
static void check_pages(const struct pdf *p, struct out *o, size_t written, size_t gibberish)
{
	size_t bare = 0;
	bool images;

	for (size_t i = 0; i < p->page_count; i++)
		bare += p->pages[i].letters < BARE;
	images = bare && (gibberish || has_images());
	if (images)
		list_scans(p, o);
	if (gibberish)
		snprintf(
		    o->warning, sizeof o->warning,
		    "The fonts of %zu of %zu pages do not say which letters they show: these pages need text recognition (OCR).",
		    gibberish, p->page_count);
	else if (p->word_count == 0 && images)
		snprintf(
		    o->warning, sizeof o->warning,
		    "The PDF has no text: its pages (%zu) hold only images. Scanned pages need text recognition (OCR) "
		    "before they can be read.",
		    p->page_count);
	else if (p->word_count == 0)
		snprintf(o->warning, sizeof o->warning,
		         "The PDF has no text: its pages (%zu) are empty, or hold only drawings.",
		         p->page_count);
	else if (p->page_count > 1 && bare * 2 > p->page_count)
		snprintf(o->warning, sizeof o->warning, "%zu of %zu pages hold hardly any text%s.", bare,
		         p->page_count,
		         images ? ": they are scans, perhaps, which need text recognition (OCR)" : "");
	else if (written == 0)
		snprintf(o->warning, sizeof o->warning,
		         "The PDF has no text but what is repeated on its pages (%zu).", p->page_count);
	if (written == 0 && !images)
		end(VERDICT_SAYS_WHY, o->warning);
}

void pdf_read(const struct jail *jail, struct out *o)
{
	char last[16];
	/* One page more than are taken tells that there are too many. */
	char *argv[] = { "pdftotext", "-tsv", "-enc", "UTF-8", "-eol", "unix", "-l", last, "-", "-", NULL };
	struct pdf pdf = { 0 };
	struct jailed p;
	size_t letters = 0, gibberish;
	int status;

	snprintf(last, sizeof last, "%d", PAGES_MAX + 1);
	jail_start(jail, jail_find("pdftotext"), argv, &p);
	jail_finish(&p, take, &pdf, &status);
	check(status);
	pdf_judge(&pdf);
	gibberish = drop_gibberish(&pdf);
	pdf_write(&pdf, o);
	for (size_t i = 0; i < o->size && letters < BARE; i++)
		letters += !strchr(" \n\f", o->at[i]);
	check_pages(&pdf, o, letters, gibberish);
}

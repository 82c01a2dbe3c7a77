/* links: tests/unit/reader_rig.c $(READERS) -lgumbo -lxml2 -larchive */
/* What is made of Word documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/reader_rig.h"

/* The bytes are the body of its document. */
static void docx(char *bytes, struct out *o)
{
	char *all = malloc(strlen(bytes) + 200);
	int file;

	assert_non_null(all);
	sprintf(all, "<w:d xmlns:w='w' xmlns:mc='mc'>%s</w:d>", bytes);
	file = reader_zip((const char *const[]){ "word/document.xml", all, NULL });
	docx_read(file, o);
	close(file);
	free(all);
}

/* A document with parts beside it: the bytes are the body, then a line "=NAME" and what that part holds, again and again. */
static void document(char *bytes, struct out *o)
{
	const char *files[16] = { NULL };
	char body[8000];
	size_t n = 0;
	int file;

	files[n++] = "word/document2.xml";
	files[n++] = body;
	for (char *s = strstr(bytes, "=/"), *next; s; s = next) {
		*s = '\0';
		files[n++] = s + 2;
		s = strchr(s + 2, '\n');
		*s = '\0';
		files[n++] = s + 1;
		next = strstr(s + 1, "=/");
	}
	files[n++] = "_rels/.rels";
	files[n++] = "<R><Relationship Id='m' Type='x/officeDocument' Target='/word/document2.xml'/></R>";
	snprintf(body, sizeof body, "<w:d xmlns:w='w' xmlns:mc='mc' xmlns:r='r'>%s</w:d>", bytes);
	file = reader_zip(files);
	docx_read(file, o);
	close(file);
}

#define P(text) "<w:p><w:r><w:t>" text "</w:t></w:r></w:p>"
#define CELL(text) "<w:tc>" P(text) "</w:tc>"
#define MERGED(how, text) "<w:tc><w:tcPr><w:vMerge" how "/></w:tcPr><w:p>" text "</w:p></w:tc>"
#define ITEM(list, level, text)                                                 \
	"<w:p><w:pPr><w:numPr><w:ilvl w:val='" level "'/><w:numId w:val='" list \
	"'/></w:numPr></w:pPr><w:r><w:t>" text "</w:t></w:r></w:p>"
#define LEVEL(level, format, text)                                               \
	"<w:lvl w:ilvl='" level "'><w:start w:val='1'/><w:numFmt w:val='" format \
	"'/><w:lvlText w:val='" text "'/>"                                       \
	"</w:lvl>"
#define NUMBERING(xml) "=/word/numbering.xml\n<w:n xmlns:w='w'>" xml "</w:n>"
#define LIST(id, of) "<w:num w:numId='" id "'><w:abstractNumId w:val='" of "'/></w:num>"
#define RELATED(id, type, target) "<Relationship Id='" id "' Type='x/" type "' Target='" target "'/>"
#define RELATIONS(xml) "=/word/_rels/document2.xml.rels\n<R>" xml "</R>"

static const struct reader_case cases[] = {
	{ "a row that was deleted is gone, and a paragraph whose end was goes on", docx,
	  "<w:tbl><w:tr>" CELL("a") CELL("b") "</w:tr><w:tr><w:trPr><w:del/></w:trPr>" CELL("c")
	      CELL("d") "</w:tr><w:tr>" CELL("e")
	          CELL("f") "</w:tr></w:tbl><w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t "
	                    "xml:space='preserve'>One half </w:t></w:r></w:p>" P("and the other."),
	  "a | b\ne | f\n\nOne half and the other." },
	{ "what a paragraph was before a change of its form is not what it is", docx,
	  "<w:p><w:pPr><w:pPrChange><w:pPr><w:outlineLvl w:val='0'/></w:pPr></w:pPrChange></w:pPr><w:r><w:t>Plain."
	  "</w:t></w:r></w:p>",
	  "Plain." },
	{ "a cell that reaches down is said in each row", docx,
	  "<w:tbl><w:tr>" MERGED(" w:val='restart'", "<w:r><w:t>Office</w:t></w:r>")
	      CELL("8-18") "</w:tr><w:tr>" MERGED("", "") CELL("10-12") "</w:tr></w:tbl>",
	  "Office | 8-18\nOffice | 10-12" },
	{ "a table in a cell stays in its row", docx,
	  "<w:tbl><w:tr>" CELL("North") "<w:tc>" P("By season:") "<w:tbl><w:tr>" CELL("summer")
	      CELL("14") "</w:tr><w:tr>" CELL("winter")
	          CELL("9") "</w:tr></w:tbl></w:tc></w:tr><w:tr>" CELL("South") CELL("11") "</w:tr></w:tbl>",
	  "North | By season: summer 14; winter 9;\nSouth | 11" },
	{ "a box stands behind its paragraph", docx,
	  "<w:p><w:r><w:t>No sentence </w:t></w:r><w:r><w:txbxContent>" P(
	      "Boxed.") "</w:txbxContent></w:r><w:r><w:t> is torn.</w:t></w:r></w:p>" P("Next."),
	  "No sentence is torn.\n\nBoxed.\n\nNext." },
	{ "a field that is not filled in says nothing", docx,
	  "<w:p><w:r><w:t>Name:</w:t></w:r><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>Click here."
	  "</w:t></w:r></w:sdtContent></w:sdt><w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t> Ada</w:t></w:r></w:sdtContent>"
	  "</w:sdt></w:p>",
	  "Name: Ada" },
	{ "a field that holds nothing hides nothing behind it", docx,
	  "<w:p><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent/></w:sdt><w:r><w:t>One.</w:t></w:r></w:p>" P(
	      "Two."),
	  "One.\n\nTwo." },
	{ "formulas keep their signs and what belongs together", docx,
	  "<w:p><w:oMath><w:r><w:t>s=</w:t></w:r><w:f><w:num><w:sSub><w:e><w:r><w:t>C</w:t></w:r></w:e><w:sub><w:r><w:t>b"
	  "</w:t></w:r></w:sub></w:sSub><w:r><w:t>v</w:t></w:r></w:num><w:den><w:r><w:t>100</w:t></w:r></w:den></w:f>"
	  "<w:nary><w:naryPr><w:chr w:val='∑'/></w:naryPr><w:sub><w:r><w:t>i=1</w:t></w:r></w:sub><w:sup><w:r><w:t>n</w:t>"
	  "</w:r></w:sup><w:e><w:d><w:e><w:r><w:t>x</w:t></w:r></w:e></w:d></w:e></w:nary></w:oMath></w:p>",
	  "s=(C_b v)/100 ∑_(i=1)^n (x)" },
	{ "clauses of articles in Roman numbers have their own in digits, where the law wants that", document,
	  ITEM("1", "0", "Scope") ITEM("1", "1", "Here") ITEM("1", "0", "Fees") ITEM("1", "1", "Nine")
	      NUMBERING("<w:abstractNum w:abstractNumId='0'>" LEVEL(
	          "0", "upperRoman",
	          "Article %1.") "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:isLgl/><w:lvlText "
	                         "w:val='§ %1.%2'/></w:lvl></w:abstractNum>" LIST("1", "0")),
	  "Article I. Scope\n\n§ 1.1 Here\n\nArticle II. Fees\n\n§ 2.1 Nine" },
	{ "a list that shows a level its own way, and one that begins anew", document,
	  ITEM("1", "0", "a") ITEM("2", "0", "b") ITEM("3", "0", "c") NUMBERING(
	      "<w:abstractNum w:abstractNumId='0'>" LEVEL("0", "decimal", "%1.") "</w:abstractNum>" LIST("1", "0") "<w:num w:numId='2'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'>" LEVEL(
	          "0", "decimal",
	          "Step %1:") "</w:lvlOverride></w:num><w:num w:numId='3'><w:abstractNumId w:val='0'/><w:lvlOverride "
	                      "w:ilvl='0'><w:startOverride w:val='1'/></w:lvlOverride></w:num>"),
	  "1. a\n\nStep 2: b\n\n1. c" },
	{ "a list that begins with nought", document,
	  ITEM("1", "0", "a") ITEM("1", "0", "b") ITEM("1", "0", "c") NUMBERING(
	      "<w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='0'/><w:numFmt w:val='decimal'/><w:lvlText "
	      "w:val='%1.'/></w:lvl></w:abstractNum>" LIST("1", "0")),
	  "0. a\n\n1. b\n\n2. c" },
	{ "a list that is what a style says", document,
	  ITEM("1", "0", "a") ITEM("1", "0", "b") NUMBERING(
	      "<w:abstractNum w:abstractNumId='0'><w:numStyleLink w:val='Mine'/></w:abstractNum><w:abstractNum "
	      "w:abstractNumId='1'><w:styleLink w:val='Mine'/>" LEVEL(
	          "0", "decimal", "Rule %1") "</w:abstractNum>" LIST("1", "0") LIST("2", "1")),
	  "Rule 1 a\n\nRule 2 b" },
	{ "numbers of other alphabets", document,
	  ITEM("1", "0", "a") ITEM("1", "0", "b") ITEM("1", "1", "c") ITEM("1", "2", "d") ITEM("1", "3", "e")
	      NUMBERING(
	          "<w:abstractNum w:abstractNumId='0'>" LEVEL("0", "russianLower", "%1)")
	              LEVEL("1", "chineseCounting", "%2、") LEVEL(
	                  "2", "decimalEnclosedCircle",
	                  "%3") "<w:lvl w:ilvl='3'><w:start w:val='28'/><w:numFmt w:val='lowerLetter'/><w:lvlText "
	                        "w:val='%4.'/></w:lvl></w:abstractNum>" LIST("1", "0")),
	  "а) a\n\nб) b\n\n一、 c\n\n① d\n\nbb. e" },
	{ "what is hidden by a style or by its paragraph, and is not counted", document,
	  ITEM(
	      "1", "0",
	      "a") "<w:p><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:rPr>"
	           "<w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>" ITEM(
	               "1", "0",
	               "b") "<w:p><w:pPr><w:pStyle w:val='S'/></w:pPr><w:r><w:t>secret</w:t></w:r></w:p><w:p><w:r><w:rPr>"
	                    "<w:rStyle w:val='C'/></w:rPr><w:t>secret</w:t></w:r><w:r><w:t>seen</w:t></w:r></w:p>" NUMBERING(
	                        "<w:abstractNum w:abstractNumId='0'>" LEVEL("0", "decimal", "%1.") "</w:abstractNum>" LIST(
	                            "1",
	                            "0")) "=/word/styles.xml\n<w:s xmlns:w='w'><w:style w:styleId='S'><w:name w:val='S'/><w:rPr><w:vanish/></w:rPr>"
	                                  "</w:style><w:style w:styleId='C'><w:name w:val='C'/><w:rPr><w:vanish/></w:rPr></w:style></w:s>",
	  "1. a\n\n2. b\n\nseen" },
	{ "of several ways to show a thing the one that says something", document,
	  "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='new'><w:drawing/></mc:Choice><mc:Fallback><w:pict>"
	  "<w:txbxContent>" P(
	      "Only here.") "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r><w:r>"
	                    "<mc:AlternateContent><mc:Choice><w:t>new</w:t></mc:Choice><mc:Fallback><w:t>old</w:t>"
	                    "</mc:Fallback></mc:AlternateContent></w:r></w:p>",
	  "new\n\nOnly here." },
	{ "a page that was put into the document", document,
	  P("Before.") "<w:altChunk r:id='c'/>" P("Behind.") RELATIONS(
	      RELATED("c", "aFChunk", "chunk.html")) "=/word/chunk.html\n<h1>Fees</h1><p>Nine &amp; a half.",
	  "Before.\n\n# Fees\n\nNine & a half.\n\nBehind." },
	{ "the words of a diagram, and of who described a picture", document,
	  "<w:p><w:r><w:drawing><docPr descr='Plan of the harbour'/><relIds r:dm='d'/></w:drawing></w:r><w:r><w:t>See:</w:t>"
	  "</w:r><w:r><w:drawing><docPr descr='A cat. Description automatically generated'/></w:drawing></w:r></w:p><w:p><w:r>"
	  "<w:drawing><docPr descr='An automatic door'/></w:drawing></w:r></w:p>" RELATIONS(RELATED(
	      "d", "diagramData",
	      "diagrams/data1.xml")) "=/word/diagrams/data1.xml\n<d><t><p><r><t>Weigh</t></r></p></t><t><p><r><t>Sail</t></r></p></t></d>",
	  "See:\n\nPlan of the harbour\n\nWeigh\nSail\n\nAn automatic door" },
	{ "parts of other names, and a table of contents that is a field", document,
	  "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj></w:sdtPr><w:sdtContent>" P("Fees 3") "</w:sdtContent></w:sdt><w:p><w:pPr><w:pStyle w:val='b1'/></w:pPr><w:r><w:t>Fees</w:t></w:r></w:p>" RELATIONS(
	      RELATED(
	          "s", "styles",
	          "styles2.xml")) "=/word/styles2.xml\n<w:s xmlns:w='w'><w:style w:styleId='b1'><w:name w:val='heading 1'/></w:style></w:s>",
	  "# Fees" },
	{ "what was chosen and ticked in an old form", document,
	  "<w:p><w:r><w:t xml:space='preserve'>Colour: </w:t></w:r><w:r><w:fldChar><w:ffData><w:ddList><w:result w:val='1'/>"
	  "<w:listEntry w:val='red'/><w:listEntry w:val='blue'/></w:ddList></w:ffData></w:fldChar></w:r><w:r><w:t "
	  "xml:space='preserve'>, paid: </w:t></w:r><w:r><w:fldChar><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData>"
	  "</w:fldChar></w:r></w:p>",
	  "Colour: blue, paid: ☒" },
	{ "names of places and people that Word found, and words of other documents' making", document,
	  "<w:p><w:r><w:t xml:space='preserve'>The </w:t></w:r><w:smartTag><w:smartTagPr/><w:r><w:t>Lindau</w:t></w:r></w:smartTag>"
	  "<w:customXml><w:r><w:t xml:space='preserve'> of</w:t></w:r></w:customXml><w:r><w:t>f</w:t></w:r></w:p>",
	  "The Lindau off" },
};

static void test_word(void **state)
{
	(void)state;
	reader_check(cases, sizeof cases / sizeof *cases);
}

/* Each note stands behind its paragraph, also where there are thousands, in a moment. */
static void test_many_notes(void **state)
{
	enum { NOTES = 5000 };
	char *text = malloc(NOTES * 100), *notes = malloc(NOTES * 100), *t = text, *n = notes;
	const char *first = "text[1]\n\n[1] note 5000\n\ntext[2]", *last = "text[5000]\n\n[5000] note 9999";
	struct out o = { 0 };
	clock_t began;
	int file;

	(void)state;
	assert_non_null(text);
	assert_non_null(notes);
	t += sprintf(t, "<w:d xmlns:w='w'>");
	n += sprintf(
	    n, "<w:f xmlns:w='w'><w:footnote w:id='1'><w:p><w:r><w:t>line</w:t></w:r></w:p></w:footnote>");
	for (int i = 5000; i < 5000 + NOTES; i++) {
		t += sprintf(t, "<w:p><w:r><w:t>text</w:t><w:footnoteReference w:id='%d'/></w:r></w:p>", i);
		n += sprintf(n, "<w:footnote w:id='%d'><w:p><w:r><w:t>note %d</w:t></w:r></w:p></w:footnote>",
		             i, i);
	}
	sprintf(t, "</w:d>");
	sprintf(n, "</w:f>");
	file =
	    reader_zip((const char *const[]){ "word/document.xml", text, "word/footnotes.xml", notes, NULL });
	began = clock();
	docx_read(file, &o);
	assert_in_range(clock() - began, 0, 2 * CLOCKS_PER_SEC);
	assert_memory_equal(o.at, first, strlen(first));
	assert_memory_equal(o.at + o.size - strlen(last), last, strlen(last));
	close(file);
	free(o.at);
	free(text);
	free(notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_word), cmocka_unit_test(test_many_notes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

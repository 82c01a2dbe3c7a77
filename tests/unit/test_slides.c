/* links: tests/unit/reader_rig.c $(READERS) -lgumbo -lxml2 -larchive */
/* What is made of presentations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/reader_rig.h"

#define SHAPE(kind, text) \
	"<sp><nvPr><ph type='" kind "'/></nvPr><txBody><p><r><t>" text "</t></r></p></txBody></sp>"
#define BOX(inner) "<sp><txBody><p>" inner "</p></txBody></sp>"
#define CELL(how, text) "<tc" how "><txBody><p><r><t>" text "</t></r></p></txBody></tc>"

/* The bytes are the slide that is shown first and stands last; the second is hidden. */
static void slides(char *bytes, struct out *o)
{
	static const char
	    list[] = "<p xmlns:r='r'><sldId id='7' r:id='b'/><sldId id='5' r:id='c'/><sldId id='6' "
	             "r:id='a'/></p>",
	    relations[] = "<R><Relationship Id='a' Target='slides/slide1.xml'/><Relationship Id='b' "
	                  "Target='slides/slide2.xml'/><Relationship Id='c' Target='slides/slide3.xml'/></R>",
	    of_slide[] = "<R><Relationship Id='d' Target='../diagrams/data1.xml'/><Relationship Id='n' "
	                 "Type='x/notesSlide' Target='../notesSlides/notesSlide9.xml'/></R>";
	char all[4000];
	int file;

	snprintf(all, sizeof all, "<sld xmlns:r='r' xmlns:mc='mc'>%s</sld>", bytes);
	file = reader_zip((const char *const[]){
	    "ppt/presentation.xml", list, "ppt/_rels/presentation.xml.rels", relations,
	    "ppt/slides/slide1.xml", "<sld>" SHAPE("title", "Last") "</sld>", "ppt/slides/slide2.xml", all,
	    "ppt/slides/slide3.xml", "<sld show='0'>" SHAPE("title", "Secret") "</sld>",
	    "ppt/slides/_rels/slide2.xml.rels", of_slide, "ppt/diagrams/data1.xml",
	    "<d><t><p><r><t>Weigh</t></r></p></t><t><p><r><t>Sail</t></r></p></t></d>",
	    "ppt/notesSlides/notesSlide9.xml", "<notes>" SHAPE("body", "Say hello.") "</notes>", NULL });
	pptx_read(file, o);
	close(file);
}

#define THEN "\n\nSay hello.\n\n\f\n\n\f\n\n# Last\f"

static const struct reader_case cases[] = {
	{ "slides as they are shown, without those that are not; the title first, numbers and footers gone",
	  slides,
	  SHAPE("body", "Below.") SHAPE("title", "Rules") SHAPE("ftr", "Confidential") SHAPE("sldNum", "3"),
	  "# Rules\n\nBelow." THEN },
	{ "cells that reach across and down", slides,
	  "<tbl><tr>" CELL("", "Boat") CELL(" gridSpan='2'", "Fee") CELL(" hMerge='1'", "") "</tr><tr>" CELL(
	      " rowSpan='2'", "small") CELL("", "9") CELL("", "12") "</tr><tr>" CELL(" vMerge='1'", "")
	      CELL("", "10") CELL("", "13") "</tr></tbl>",
	  "Boat | Fee\nsmall | 9 | 12\nsmall | 10 | 13" THEN },
	{ "raised numbers, formulas, and what stands there in an older way too", slides,
	  BOX("<r><t>10</t></r><r><rPr baseline='30000'/><t>6</t></r><r><t> by </t></r><mc:AlternateContent><mc:Choice>"
	      "<oMath><f><num><r><t>h</t></r></num><den><r><t>2</t></r></den></f></oMath></mc:Choice><mc:Fallback><r><t>old</t></r>"
	      "</mc:Fallback></mc:AlternateContent><fld type='slidenum'><t>7</t></fld>"),
	  "10^6 by h/2" THEN },
	{ "the words of a diagram, and of who described a picture", slides,
	  "<pic><cNvPr descr='Plan of the harbour'/></pic><graphic><relIds r:dm='d'/></graphic>",
	  "Plan of the harbour\n\nWeigh\nSail" THEN },
};

static void test_slides(void **state)
{
	(void)state;
	reader_check(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_slides) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

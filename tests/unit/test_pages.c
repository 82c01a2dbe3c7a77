/* links: tests/unit/reader_rig.c $(READERS) -lgumbo -lxml2 -larchive */
/* What is made of web pages, and of pages of books. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/reader_rig.h"

static void page(char *bytes, struct out *o)
{
	html_read(bytes, strlen(bytes), o);
}

/* The bytes are the only chapter of a book. */
static void book(char *bytes, struct out *o)
{
	static const char package[] =
	    "<package><manifest><item id='a' href='a.xhtml'/></manifest><spine><itemref "
	    "idref='a'/></spine></package>";
	int file = reader_zip((const char *const[]){ "p.opf", package, "a.xhtml", bytes, NULL });

	epub_read(file, o);
	close(file);
}

#define TEXT "<p>The office is open from nine to five on weekdays.</p>"
#define TEXT_OUT "The office is open from nine to five on weekdays."
#define TOLD(json) "<script type='application/ld+json'>" json "</script>"
#define QUESTION                                                                                                   \
	"{'@type':['Question'],'name':'What does a key cost?','acceptedAnswer':{'@type':'Answer','text':'<p>Nine " \
	"&amp; a <b>half</b> florins.</p>'}}"
#define FAQ TOLD("{'@graph':[{'@type':'FAQPage','mainEntity':[" QUESTION "]}]}")

static const struct reader_case cases[] = {
	{ "in XHTML an element without content ends where it begins", page,
	  "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/><script src='x'/></head><body>"
	  "<h1>Rules<br/></h1><a id='x'/><div class='line'/><p>Be still.</p></body></html>",
	  "# Rules\n\nBe still." },
	{ "a chapter of a book whose title is empty", book,
	  "<?xml version='1.0'?><html><head><title/></head><body><h1>One</h1><p>First.</p></body></html>",
	  "# One\n\nFirst." },
	{ "in HTML it does not", page, "<p>One <b/>two</p>", "One two" },
	{ "a page that a script fills, and whose questions are told to machines", page,
	  "<html><head>" FAQ "</head><body><div id=root></div><script src=app.js></script></body></html>",
	  "### What does a key cost?\n\nNine & a half florins." },
	{ "questions that machines are told and people can read stand there once", page,
	  "<h1>Help</h1><h3>What does a key cost?</h3><p>Nine & a\nhalf <i>florins</i>." FAQ FAQ,
	  "# Help\n\n### What does a key cost?\n\nNine & a half florins." },
	{ "machines are told in other quotation marks and blanks what people can read", page,
	  "<p>&ldquo;It&rsquo;s here&rdquo;,&nbsp;she said&nbsp;&ndash; once." TOLD(
	      "{'articleBody':'\\u0022It\\u0027s here\\u0022, she said - once.'}"),
	  "“It’s here”,\xc2\xa0she said\xc2\xa0– once." },
	{ "a page shows how an article begins, and tells machines all of it", page,
	  "<p>The crane of the northern harbour has come by ship..." TOLD(
	      "{'articleBody':'The crane of the northern harbour has come by ship. It lifts ninety tons, and no bridge holds it.'}"),
	  "The crane of the northern harbour has come by ship...\n\nThe crane of the northern harbour has come by ship. It lifts ninety "
	  "tons, and no bridge holds it." },
	{ "what machines are told and is no JSON", page, TEXT TOLD("{'@type':'Question',,"), TEXT_OUT },
	{ "an article that only machines are told", page,
	  "<body><script></script>" TOLD("{'@type':'NewsArticle','articleBody':'The crane has come.'}"),
	  "The crane has come." },
	{ "what a picture shows is said, unless it is said beside it", page,
	  TEXT
	  "<figure><img src=data: data-src=a.png alt='Gate 3 is in the north'><figcaption>The harbour in 1890"
	  "</figcaption></figure><a href=/v><img alt='Brass valve'></a><h3>Brass valve</h3><img alt='IMG_12.jpg'>"
	  "<img alt='Our logo'><img alt=''><table><tr><th>Steam<th>Sail<tr><td><img alt=yes><td><img alt=no>"
	  "</table>",
	  TEXT_OUT
	  "\n\nGate 3 is in the north\n\nThe harbour in 1890\n\n### Brass valve\n\nSteam | Sail\nyes | no" },
	{ "a price that no longer holds is gone", page,
	  "<p>A berth costs <del>12</del> <ins>14</ins> florins.", "A berth costs 14 florins." },
	{ "consent is asked for in many languages, by whatever name", page,
	  "<div class=bottom><p>Wir verwenden Cookies.</p><button>Alle akzeptieren</button></div><div id=x><span>当サイトは"
	  "クッキーを使用します</span><a href=#>同意する</a></div><div id=tarteaucitronRoot>Ce site utilise des cookies</div>"
	  "<h1>Cookies</h1><div><p>Butter cookies: allow an hour.</p></div>",
	  "# Cookies\n\nButter cookies: allow an hour." },
	{ "a small page that asks for consent keeps its text", page,
	  "<div id=root><h1>Hours</h1><p>From nine to five.</p><div>We use cookies.<a href='#'>Accept</a></div></div>",
	  "# Hours\n\nFrom nine to five." },
	{ "sections on cookies and trustees are text", page,
	  "<h1>Rules</h1><section id=cookies><h2>Cookies</h2><p>A jar holds them.</p></section><div class=trustees>Ada.</div>"
	  "<div>Set-Cookie goes with <a href=/a>Allow-Credentials</a>.</div>",
	  "# Rules\n\n## Cookies\n\nA jar holds them.\n\nAda.\n\nSet-Cookie goes with Allow-Credentials." },
	{ "an answer that is hidden behind a plain question", page,
	  "<main><div class=q>Is it far?</div><div hidden>No, a mile.</div><div class=q>Menu</div><div hidden>Secret."
	  "</div></main>",
	  "Is it far?\n\nNo, a mile.\n\nMenu" },
	{ "what a film says to browsers that show none", page, TEXT "<video>Your browser is old.</video>",
	  TEXT_OUT },
	{ "questions and answers as terms and what they mean", page,
	  "<dl><dt>What does a key cost?</dt><dd>Nine.</dd><dt>When?</dt><dd><p>Now.</p><p>Soon.</p></dd></dl>",
	  "What does a key cost?\n\nNine.\n\nWhen?\n\nNow.\n\nSoon." },
	{ "Word's own list on a page", page,
	  "<p class=MsoListParagraph><![if !supportLists]><span>1.<span>   </span></span><![endif]>Pay.<o:p></o:p>"
	  "</p><!--[if mso]><p>old</p><![endif]-->",
	  "1. Pay." },
};

static void test_pages(void **state)
{
	(void)state;
	reader_check(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

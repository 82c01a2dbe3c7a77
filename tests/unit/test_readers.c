/* links: tests/unit/reader_rig.c $(READERS) -lgumbo -lxml2 -larchive */
/* What the helper's small readers make of files: mail, RTF, CSV, pages, OpenDocument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "svc-documents/helper/recode.h"
#include "svc-documents/helper/xlsx.h"
#include "tests/unit/reader_rig.h"

static struct recoder *recoder(void)
{
	static struct recoder *one;

	if (!one)
		one = recoder_open();
	return one;
}

static void mail(char *bytes, struct out *o)
{
	mail_read(recoder(), bytes, strlen(bytes), o);
}
static void rtf(char *bytes, struct out *o)
{
	rtf_read(recoder(), bytes, strlen(bytes), o);
}
static void csv(char *bytes, struct out *o)
{
	csv_read(bytes, strlen(bytes), o);
}
static void json(char *bytes, struct out *o)
{
	json_read(bytes, strlen(bytes), o);
}
static void xml(char *bytes, struct out *o)
{
	xml_read(bytes, strlen(bytes), o);
}
static void subtitles(char *bytes, struct out *o)
{
	subtitles_read(bytes, strlen(bytes), o);
}
static void feed(char *bytes, struct out *o)
{
	xml_links(bytes, strlen(bytes), o);
}
static void html(char *bytes, struct out *o)
{
	html_read(bytes, strlen(bytes), o);
}
/* The bytes are its content.xml. */
static void odt(char *bytes, struct out *o)
{
	int file = reader_zip((const char *const[]){ "content.xml", bytes, NULL });

	odt_read(file, o);
	close(file);
}

/* The bytes are its strings, of which the first two stand in a row. */
static void xlsx(char *bytes, struct out *o)
{
	static const char sheet[] = "<w><row><c t='s'><v>0</v></c><c t='s'><v>1</v></c></row></w>";
	int file = reader_zip(
	    (const char *const[]){ "xl/sharedStrings.xml", bytes, "xl/worksheets/sheet1.xml", sheet, NULL });

	xlsx_read(file, o);
	close(file);
}

/* The bytes are its first sheet; the second is hidden, and the first in the archive. */
static void workbook(char *bytes, struct out *o)
{
	static const char tabs[] =
	    "<w xmlns:r='r'><sheet name='Shown' r:id='b'/><sheet name='Kept' r:id='a' state='hidden'/></w>",
	                  parts[] =
	                      "<R><Relationship Id='a' Target='worksheets/sheet1.xml'/><Relationship Id='b' "
	                      "Target='/xl/worksheets/sheet2.xml'/></R>",
	                  hidden[] = "<w><row><c t='inlineStr'><is><t>secret</t></is></c></row></w>";
	int file = reader_zip((const char *const[]){ "xl/workbook.xml", tabs, "xl/_rels/workbook.xml.rels",
	                                             parts, "xl/worksheets/sheet1.xml", hidden,
	                                             "xl/worksheets/sheet2.xml", bytes, NULL });

	xlsx_read(file, o);
	close(file);
}

/* The bytes are a format's code, in which a number is shown: "0.00=4.2". */
static void number(char *bytes, struct out *o)
{
	char *value = strrchr(bytes, '='), shown[100];
	struct xlsx_format f;

	*value = '\0';
	xlsx_format_read(164, bytes, &f);
	xlsx_format_print(&f, false, value + 1, shown, sizeof shown);
	out_text(o, shown, strlen(shown));
}

#define KEYS(six) six six six six six six

static const struct reader_case cases[] = {
	{ "Excel: as many decimals as are shown", number, "#,##0.00=1234.5", "1234.50" },
	{ "Excel: no more than are shown", number, "0.0#=9.3333333333333339", "9.33" },
	{ "Excel: a unit", number, "0.00\\ \"kg\"=4.2", "4.20 kg" },
	{ "Excel: a day, in capitals", number, "DD/MM/YYYY=45000", "2023-03-15" },
	{ "Excel: a debt beyond measure", number, "0.00=-1E+16", "-1E+16" },
	{ "Excel: money", number, "[$€-407]\\ #,##0.00;[Red]-0=-7", "-€ 7.00" },
	{ "Excel: an account's money", number, "_-* #,##0.00\\ \"€\"_-;-0=7", "7.00 €" },
	{ "Excel: leading zeros", number, "00000=42", "00042" },
	{ "Excel: hours beyond a day", number, "[h]:mm:ss=1.5", "36:00" },
	{ "Excel: a day", number, "[$-407]d. mmmm yyyy=45322", "2024-01-31" },
	{ "Excel: a part of hundred", number, "0.0%=0.2575", "25.75%" },
	{ "Excel: what nobody shaped", number, "General=0.30000000000000004", "0.3" },
	{ "Excel: what science shapes", number, "0.00E+00=1234500", "1234500" },
	{ "Excel: whole numbers keep what they hide", number, "0=3.14", "3.14" },
	{ "RTF: a heading has its number, wherever that stands, and a note no blank before it", rtf,
	  "{\\rtf1{\\listtext\\pard\\plain 1.\\tab}\\pard\\outlinelevel0 One\\par\\pard\\outlinelevel0{\\listtext\\pard\\plain "
	  "2.\\tab}Two{\\*\\footnote \\tab A note.}\\par\\pard Text.\\par}",
	  "# 1. One\n\n# 2. Two (A note.)\n\nText." },
	{ "Excel: a hidden sheet is not read, and a cell that reaches down is said in each row", workbook,
	  "<w><row r='1'><c r='A1' t='inlineStr'><is><t>Alberta</t></is></c><c r='B1'><v>0.1</v></c></row><row r='2'>"
	  "<c r='A2' s='1'/><c r='B2'><v>9.1000000000000014</v></c></row><row r='3'><c r='B3'><f>B1+B2</f></c><c r='C3'>"
	  "<v>3</v></c></row><mergeCells><mergeCell ref=\"A1:A2\"/></mergeCells></w>",
	  "# Shown\n\nAlberta | 0.1\nAlberta | 9.1\n| | 3" },
	{ "Excel: a row whose number is beyond all others", workbook,
	  "<w><row r='9223372036854775807'><c t='inlineStr'><is><t>last</t></is></c></row><row><c t='inlineStr'><is><t>and one"
	  "</t></is></c></row></w>",
	  "# Shown\n\nlast\nand one" },
	{ "OpenDocument: a table in a cell stays in its row", odt,
	  "<o><table><table-row><table-cell><p>North</p></table-cell><table-cell><p>by season:</p><table><table-row><table-cell>"
	  "<p>summer</p></table-cell><table-cell><p>14</p></table-cell></table-row></table></table-cell></table-row><table-row>"
	  "<table-cell><p>South</p></table-cell><table-cell><p>9</p></table-cell></table-row></table></o>",
	  "North | by season: summer 14;\nSouth | 9" },
	{ "OpenDocument: a cell that reaches down is said in each row, equal ones are all there", odt,
	  "<o><table><table-row><table-cell><p>Boat</p></table-cell><table-cell number-columns-spanned='2'><p>Fee</p></table-cell>"
	  "<covered-table-cell/></table-row><table-row><table-cell number-rows-spanned='2'><p>small</p></table-cell><table-cell><p>12"
	  "</p></table-cell><table-cell><p>9</p></table-cell></table-row><table-row><covered-table-cell/><table-cell "
	  "number-columns-repeated='2'><p>13</p></table-cell></table-row></table></o>",
	  "Boat | Fee\nsmall | 12 | 9\nsmall | 13 | 13" },
	{ "OpenDocument: what is hidden, asked for, or read aloud is not read", odt,
	  "<o><style name='H'><text-properties display='none'/></style><body><p style-name='H'>secret</p><p>Seen<span style-name='H'>"
	  "secret</span>.</p><section display='none'><p>secret</p></section><p><ruby><ruby-base>東京</ruby-base><ruby-text>とうきょう"
	  "</ruby-text></ruby><placeholder>Name</placeholder></p></body></o>",
	  "Seen.\n\n東京" },
	{ "OpenDocument: a box tears no sentence, and raised numbers are", odt,
	  "<o><style name='T'><text-properties text-position='super 58%'/></style><body><p>One <frame><text-box><p>Boxed.</p></text-box>"
	  "</frame>half, 10<span style-name='T'>6</span> litres.</p><p>Next.</p></body></o>",
	  "One half, 10^6 litres.\n\nBoxed.\n\nNext." },
	{ "OpenDocument: a box that hangs on its page, and nothing else", odt,
	  "<o><body><frame><text-box><p>Boxed.</p></text-box></frame><p/></body></o>", "Boxed." },
	{ "OpenDocument: items are counted, whatever their numbers look like", odt,
	  "<o><list-style name='L'><list-level-style-number level='1' num-format='1' num-suffix='.'><text-properties/>"
	  "</list-level-style-number><list-level-style-number level='2' num-format='a' num-suffix=')'/></list-style><body>"
	  "<list style-name='L'><list-item><p>One</p><list><list-item><p>Two</p></list-item></list></list-item></list></body></o>",
	  "1. One\n\na) Two" },
	{ "OpenDocument: chapters have their numbers", odt,
	  "<o><outline-style><outline-level-style level='1' num-format='1'/><outline-level-style level='2' num-format='1' "
	  "display-levels='2' num-suffix='.'/></outline-style><body><h outline-level='1'>Scope</h><h outline-level='2'>Here</h>"
	  "<h outline-level='1'>Fees</h><h outline-level='2'>Nine</h></body></o>",
	  "# 1 Scope\n\n## 1.1. Here\n\n# 2 Fees\n\n## 2.1. Nine" },
	{ "a plain mail", mail, "From: a@b.c\nSubject: Hello\n\nGood day.\n",
	  "# Hello\n\nFrom: a@b.c\n\nGood day.\n" },
	{ "encoded words and quoted-printable", mail,
	  "Subject: =?iso-8859-1?Q?Gr=FC=DFe_aus?=\n =?utf-8?B?IEvDtmxu?=\nContent-Type: text/plain; charset=utf-8\n"
	  "Content-Transfer-Encoding: quoted-printable\n\nSch=C3=B6n=\n warm\n",
	  "# Grüße aus Köln\n\nSchön warm\n" },
	{ "plain text of alternatives, attachments by name", mail,
	  "Subject: x\nContent-Type: multipart/mixed; boundary=\"o\"\n\n--o\nContent-Type: multipart/alternative; "
	  "boundary=i\n\n--i\nContent-Type: text/plain\n\nPlain.\n--i\nContent-Type: text/html\n\n<p>Rich.\n--i--\n--o\n"
	  "Content-Type: application/pdf; name=\"plan.pdf\"\nContent-Disposition: attachment\n\nJVBERi0=\n--o--\n",
	  "# x\n\nPlain.\n\n\nAttachment: plan.pdf" },
	{ "an attachment's name in letters beyond ASCII", mail,
	  "Subject: x\nContent-Type: multipart/mixed; boundary=\"o\"\n\n--o\nContent-Type: application/pdf\nContent-Disposition: "
	  "attachment; filename*=utf-8''%C3%9Cbergabe.pdf\n\nx\n--o\nContent-Disposition: attachment;\n "
	  "filename*0*=iso-8859-1'de'Schl%FC;\n filename*1*=ssel.zip\nContent-Type: application/zip\n\nx\n--o--\n",
	  "# x\n\nAttachment: Übergabe.pdf\nAttachment: Schlüssel.zip" },
	{ "a letter that begins in one encoded word and ends in the next", mail,
	  "Subject: =?utf-8?Q?=C3?=\n =?UTF-8?Q?=9Cbergabe?= =?iso-8859-1?Q?_f=FCr?= Ada\n\nx",
	  "# Übergabe für Ada\n\nx" },
	{ "a mail that says nothing of its letters, and has some", mail,
	  "From: J\xfcrgen <a@b.c>\nSubject: Gr\xfc\xdf"
	  "e\n\nSch\xf6n.",
	  "# Grüße\n\nFrom: Jürgen <a@b.c>\n\nSchön." },
	{ "plain text that is empty is no alternative", mail,
	  "Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: "
	  "text/html\n\n<p>The only text.\n--b--\n",
	  "# x\n\nThe only text." },
	{ "a page that says itself what its letters are", mail,
	  "Subject: x\nContent-Type: text/html\n\n<meta charset=\"windows-1251\"><p>\xca\xeb\xfe\xf7",
	  "# x\n\nКлюч" },
	{ "a name in pieces, of which some are encoded, and a boundary with a semicolon", mail,
	  "Subject: x\nContent-Type: multipart/mixed; charset=\"a;boundary=no\"; boundary=\"a;b\"\n\n--a;b\nContent-Type: "
	  "application/pdf; name*0=\"50% of\"; name*1=\" it.pdf\"\n\nx\n--a;b\nContent-Type: application/pdf\n"
	  "Content-Disposition: attachment; filename*0*=utf-8''%C3%9Cber; filename*1=\"gabe.pdf\"\n\nx\n--a;b--\n",
	  "# x\n\nAttachment: 50% of it.pdf\nAttachment: Übergabe.pdf" },
	{ "a page that a browser saved as a mail, without its styles", mail,
	  "Subject: Rules\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n"
	  "Content-Transfer-Encoding: quoted-printable\n\n<meta charset=3D\"utf-8\"><p>Caf=C3=A9\n--b\nContent-Type: text/css\n\n"
	  "p { color: red }\n--b--\n",
	  "# Rules\n\nCafé" },
	{ "a page where there is no plain text", mail,
	  "Subject: x\nContent-Type: text/html; charset=utf-8\n\n<p>Rich <b>text</b>.", "# x\n\nRich text." },
	{ "RTF: paragraphs, code page, Unicode", rtf,
	  "{\\rtf1\\ansi\\ansicpg1251{\\fonttbl{\\f0 Arial;}}\\uc1 \\'cf\\'f0\\'e8\\par {\\*\\generator x;}caf\\u233?\\par}",
	  "При\n\ncafé" },
	{ "RTF: rows, hidden text, escapes", rtf, "{\\rtf1 a\\cell b\\cell\\row {\\v secret}\\{c\\}\\~d}",
	  "a | b\n{c} d" },
	{ "RTF: headings by their style or their own rank, notes, paragraphs in cells", rtf,
	  "{\\rtf1{\\stylesheet{\\s7\\outlinelevel1 Kapitel;}{\\s8 heading 1;}}\\pard\\s7 Fees\\par\\pard\\s8 Kiel\\par\\pard\\outlinelevel0 Bonn\\par\\pard One night"
	  "{\\super\\chftn}{\\*\\footnote \\pard\\s7 Or \\b two.}.\\par\\trowd{\\pard\\intbl Size\\par}\\cell{\\pard\\intbl Price\\par}"
	  "\\cell\\row\\trowd\\pard\\intbl 8 m\\cell 9\\cell\\row\\pard End}",
	  "## Fees\n\n# Kiel\n\n# Bonn\n\nOne night (Or two.).\n\nSize | Price\n8 m | 9\nEnd" },
	{ "RTF: fonts are of scripts", rtf,
	  "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset204 Arial Cyr;}{\\f2\\fcharset128 MS Gothic;}}"
	  "\\f0 Caf\\'e9 {\\f1\\'cf\\'f0\\'e8}{\\f2\\'8c\\'ae} na\\'efve}",
	  "Café При鍵 naïve" },
	{ "RTF: the last letter of Hebrew", rtf,
	  "{\\rtf1{\\fonttbl{\\f1\\fcharset177 Arial;}}\\f1 \\'f9\\'ec\\'e5\\'ed}", "שלום" },
	{ "RTF: long text in letters of two bytes", rtf,
	  "{\\rtf1\\ansicpg932 a" KEYS(KEYS(KEYS("\\'8c\\'ae"))) "}", "a" KEYS(KEYS(KEYS("鍵"))) },
	{ "RTF: raised numbers, a Mac's letters, boxes and what objects show", rtf,
	  "{\\rtf1\\mac Caf\\'8e 10{\\super 6}\\par{\\object{\\*\\objdata 0102}{\\result Table of fees}}\\par{\\shp{\\*\\shpinst\\shpleft1"
	  "{\\sp{\\sn a}{\\sv 1}}{\\shptxt Boxed.\\par}}{\\shprslt Boxed.}}}",
	  "Café 10^6\n\nTable of fees\n\nBoxed." },
	{ "RTF that never closes", rtf, "{\\rtf1 {{{\\b x", "x" },
	{ "CSV keeps its rows", csv, "a;b\r\n1;\"two\r\nlines\"\r\n\r\n3;4\r\n",
	  "a;b\n1;\"two lines\"\n3;4" },
	{ "CSV: tabs are borders, and what only Excel reads is left out", csv,
	  "\xef\xbb\xbfsep=\t\nname\tcity\nAda\tNew York\n", "name | city\nAda | New York" },
	{ "CSV: an old Mac's lines", csv, "a,b\r1,2\r3,4", "a,b\n1,2\n3,4" },
	{ "subtitles: lines that roll up are said once", subtitles,
	  "WEBVTT\n\n00:00.000 --> 00:02.000\nhello\n\n00:02.000 --> 00:04.000\nhello\nto the <c>harbour</c>\n\n00:04.000 --> "
	  "00:06.000\nto the harbour\nof Lindau\n",
	  "[00:00:00] hello to the harbour of Lindau" },
	{ "subtitles: characters by name", subtitles,
	  "WEBVTT\n\n00:05.000 --> 00:06.000\n&lt;Tom&gt; &amp; Ada & I\n", "[00:00:05] <Tom> & Ada & I" },
	{ "a page: a list's own numbers", html,
	  "<p>Steps<ol start=3><li>Open.<li>Press.<ol type=a><li>Hold.<li>Let go.</ol><li value=9>Close.</ol>",
	  "Steps\n\n3. Open.\n4. Press.\n\na. Hold.\nb. Let go.\n\n9. Close." },
	{ "a page: a cell over several rows is said in each", html,
	  "<table><tr><th rowspan=2>Plan<th colspan=2>Price<tr><th>Month<th>Year<tr><td rowspan=2>Basic<td>5<td>50<tr><td>6<td>60"
	  "</table>",
	  "Plan | Price\nPlan | Month | Year\nBasic | 5 | 50\nBasic | 6 | 60" },
	{ "a page: a section's header and footer stay where they are", html,
	  "<div><blockquote><p>Quoted words.</p><footer>Ada</footer></blockquote><section><header><h2>Keys</h2></header><p>A key "
	  "costs nine.</p><footer>Since May.</footer></section></div>",
	  "Quoted words.\n\nAda\n\n## Keys\n\nA key costs nine.\n\nSince May." },
	{ "RTF: a character beyond 16 bits is two halves", rtf, "{\\rtf1\\uc0 a\\u-10179 \\u-8704 b}",
	  "a😀b" },
	{ "JSON: a line for each value, under its path", json,
	  "{\"name\":\"Ada \\\"L\\\"\",\"age\":36,\"home\":{\"city\":\"London\",\"zip\":null},\"tags\":[\"a\",\"b\"],\"ok\":true}",
	  "name: Ada \"L\"\nage: 36\nhome.city: London\ntags: a, b\nok: true" },
	{ "JSON: a list of objects is a list of records", json,
	  "{\"shop\":{\"items\":[{\"n\":\"x\",\"price\":1.50},{\"n\":\"y\",\"sizes\":[{\"cm\":3}]}]}}",
	  "## shop.items\n\nn: x\nprice: 1.50\n\nn: y\n\nsizes.cm: 3" },
	{ "JSON: lines of it, escapes", json, "{\"a\":\"\\u00e9\\ud83d\\ude00\\n!\"}\n{\"a\":2}\n",
	  "a: é😀\n!\n\na: 2" },
	{ "JSON that breaks off keeps what is there", json, "{\"a\": 1, \"b\": oops, \"c",
	  "a: 1\nb: oops\n\n\"c" },
	{ "XML: leaves are lines, what holds others stands apart", xml,
	  "<?xml version=\"1.0\" encoding=\"windows-1251\"?><shop><item id=\"7\"><name>Größe</name><price cur=\"EUR\">9</price>"
	  "</item><item id=\"8\"><name>B</name></item></shop>",
	  "id: 7\nname: Größe\ncur: EUR\nprice: 9\n\nid: 8\nname: B" },
	{ "XML: text with elements in it is a paragraph, titles are headings", xml,
	  "<!DOCTYPE book SYSTEM \"http://169.254.169.254/x.dtd\"><book><title>On B</title><para>One <emphasis>big</emphasis> "
	  "thing.</para><para>Two.</para></book>",
	  "## On B\n\nOne big thing.\n\nTwo." },
	{ "XML: a feed holds pages", xml,
	  "<rss><channel><item><title>News</title><description>&lt;p>Hello &lt;b>you&lt;/b>&lt;/p></description></item></channel></rss>",
	  "## News\n\ndescription: Hello you" },
	{ "subtitles: what is said, with the time of each paragraph", subtitles,
	  "1\r\n00:00:01,000 --> 00:00:04,000\r\n<i>Good</i>\r\nmorning.\r\n\r\n2\r\n00:00:05,000 --> 00:00:06,000\r\n{\\an8}Hello.\r\n\r\n"
	  "3\r\n01:02:03,500 --> 01:02:09,000\r\nLater.\r\n",
	  "[00:00:01] Good morning. Hello.\n\n[01:02:03] Later." },
	{ "WebVTT: notes are not said, voices are named", subtitles,
	  "WEBVTT\n\nNOTE not this\n\nintro\n00:01.000 --> 00:02.000 align:start\n<v Ada>Is 2 < 3?\n",
	  "[00:00:01] Ada: Is 2 < 3?" },
	{ "a page with two articles", html,
	  "<body><article><p>One is a long enough article to be taken for the text of the page. One is a long enough article "
	  "to be taken for the text of the page.</article><article><p>Two is one more long enough article to be taken for "
	  "the text of the page, as the first one is.</article><footer>Imprint",
	  "One is a long enough article to be taken for the text of the page. One is a long enough article to be taken for "
	  "the text of the page.\n\nTwo is one more long enough article to be taken for the text of the page, as the first one "
	  "is." },
	{ "a table, raised numbers, a list with numbers", html,
	  "<table><tr><th><p>A</p><th>B<tr><td>10<sup>6</sup><td>m<sup>2</sup></table><ol><li>one<li>two</ol>",
	  "A | B\n10^6 | m^2\n\n1. one\n2. two" },
	{ "a page: answers that a click shows", html,
	  "<main><h3><button aria-expanded=false>Exchange?</button></h3><div hidden=until-found><p>Within 14 days.</p></div><div>"
	  "<button aria-controls=p>Is it vegan?</button><div id=p aria-hidden=true style=display:none><p>Yes, it is.</p></div></div>"
	  "<input type=checkbox id=c><label for=c>Which sizes?</label><div hidden><p>90 g.</p></div><details><summary>Who pays?"
	  "</summary><p>The buyer.</p></details><div role=tabpanel hidden>brew it</div><button>Menu</button><div hidden><a href=/a>"
	  "Home</a></div><span hidden>Copied!</span></main>",
	  "### Exchange?\n\nWithin 14 days.\n\nIs it vegan?\n\nYes, it is.\n\nWhich sizes?\n\n90 g.\n\nWho pays?\n\nThe buyer.\n\n"
	  "brew it" },
	{ "a page: its heading once, be it in a header of the main part", html,
	  "<header><h1>Site</h1></header><main><header><h1>Lighthouse</h1></header><p>The light was lit in sixteen hundred ninety-"
	  "eight on the rocks.</p><h2>History</h2><span class=mw-editsection>[edit]</span><p>Of oak.<sup class=noprint>[who?]</sup>"
	  "</p></main>",
	  "# Site\n\n# Lighthouse\n\nThe light was lit in sixteen hundred ninety-eight on the rocks.\n\n## History\n\nOf oak." },
	{ "a page: jumps, arrows and marks of notes", html,
	  "<a class=skip-link href=#c>Skip to content</a><h2>Backup<a href=#b>&para;</a></h2><p>Nightly.<a href=#fn1 "
	  "role=doc-noteref><sup>1</sup></a></p><ol><li><p>Or by cron. <a href=#r>&#8617;&#65038;</a></p></ol><p><a href=#x>"
	  "More</a>",
	  "## Backup\n\nNightly.[1]\n\n1. Or by cron.\n\nMore" },
	{ "a page: an item whose text is a paragraph, one with code, an empty one", html,
	  "<ul><li><p>One</p><p>and more</p><li><div><b>Two</b></div><li><pre>x</pre><li><li>Five</ul>",
	  "- One\n\nand more\n\n- Two\n\n-\n\n```\nx\n```\n\n- Five" },
	{ "a page: a listing beside its line numbers", html,
	  "<table><tr><td><pre>1\n2</pre><td><pre>sudo x\n# y</pre></table>", "```\nsudo x\n# y\n```" },
	{ "a page: a table that is the page", html,
	  "<table><tr><td><a href=a>Home</a><br><a href=b>Shop</a><br><a href=c>Map</a><td><p><b>Q: How long?</b><br>A: Three "
	  "years.</p><p>Q: Repairs?</table><table><tr><td><p>Deposit</p><td><p>three rents</p></table>",
	  "Home\nShop\nMap\n\nQ: How long?\nA: Three years.\n\nQ: Repairs?\n\nDeposit | three rents" },
	{ "a page: a formula once", html,
	  "<p><math><semantics><mrow><mi>E</mi><mo>=</mo><msup><mi>c</mi><mn>2</mn></msup><mfrac><mi>a</mi><mi>b</mi></mfrac>"
	  "</mrow><annotation>E = c^2</annotation></semantics></math><span aria-hidden=true>E=c2</span>",
	  "E=c^2 a/b" },
	{ "code between fences", html, "<pre># not a heading\nx</pre>", "```\n# not a heading\nx\n```" },
	{ "formatting without end", html, "<p><b><i>a<p>b", "a\n\nb" },
	{ "a note that begins with a list", odt,
	  "<d xmlns:t='t'><t:p>Before.</t:p><t:list><t:list-item><t:p>One<t:note><t:note-body><t:list><t:list-item>"
	  "<t:p>inner</t:p></t:list-item></t:list></t:note-body></t:note></t:p></t:list-item></t:list></d>",
	  "Before.\n\n- One (\n- inner)" },
	{ "Japanese, and how it is read aloud", xlsx,
	  "<sst><si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si><si><r><t>大</t></r><r><t>阪</t></r></si></sst>",
	  "東京 | 大阪" },
	{ "a listing and the list behind it", odt,
	  "<d xmlns:t='t' xmlns:s='s'><s:style s:name='P1' s:parent-style-name='Preformatted_20_Text'/>"
	  "<t:p t:style-name='P1'>ls -l</t:p><t:list><t:list-item><t:p>One</t:p></t:list-item></t:list></d>",
	  "```\nls -l\n```\n\n- One" },
};

static void test_readers(void **state)
{
	(void)state;
	reader_check(cases, sizeof cases / sizeof *cases);
}

static void test_links(void **state)
{
	static const struct {
		void (*read)(char *bytes, struct out *o);
		const char *bytes, *links, *title, *base;
	} pages[] = {
		{ html,
		  "<base href=/x/><a href=' a b '>1</a><a rel=nofollow href=no>2</a><a href='#top'>3</a><area href=c>"
		  "<link rel=alternate type=application/rss+xml href=feed><link rel=stylesheet href=css>",
		  "a%20b c feed", "", "/x/" },
		{ feed, "<sitemapindex><sitemap><loc> http://a/b\n</loc></sitemap></sitemapindex>",
		  "http://a/b", "sitemapindex", "" },
		{ feed,
		  "<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='http://a/1'/><link rel='self' href='http://a/2'/>"
		  "</entry></feed>",
		  "http://a/1", "feed", "" },
		{ feed, "<rss><item><link><![CDATA[http://a/1?x&y]]></link></item></rss>", "http://a/1?x&y",
		  "rss", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		struct out links = { 0 }, o = { .links = &links };
		char *bytes = strdup(pages[i].bytes), *got;

		assert_non_null(bytes);
		pages[i].read(bytes, &o);
		got = calloc(1, links.size + 1);
		assert_non_null(got);
		memcpy(got, links.at ? links.at : "", links.size);
		assert_string_equal(got, pages[i].links);
		assert_string_equal(o.base, pages[i].base);
		if (*pages[i].title)
			assert_string_equal(o.title, pages[i].title);
		free(got);
		free(links.at);
		free(o.at);
		free(bytes);
	}
}

/* The rows that come late in a table are found under its names. */
static void test_long_table(void **state)
{
	struct out o = { 0 };
	char *bytes = malloc(100000), *at = bytes;
	int pieces = 0;

	(void)state;
	assert_non_null(bytes);
	at += sprintf(at, "name,price\n");
	for (int i = 0; i < 500; i++)
		at += sprintf(at, "Shelf model %03d,%d\n", i, i * 3);
	csv_read(bytes, (size_t)(at - bytes), &o);
	for (const char *s = o.at; (s = memmem(s, (size_t)(o.at + o.size - s), "name,price", 10)); s += 10)
		pieces++;
	assert_in_range(pieces, 12, 20);
	free(o.at);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_readers), cmocka_unit_test(test_links),
		                            cmocka_unit_test(test_long_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where a feed or a sitemap points. */
#include <stdio.h>
#include <string.h>

#include "svc-documents/helper/parts.h"

enum { ADDRESS_MAX = 2000 };

/* Its kind becomes the title: "urlset", "sitemapindex", "rss", "feed", "RDF"; other XML has no links. */
void xml_links(const char *bytes, size_t size, struct out *o)
{
	struct part all = { .bytes = (char *)bytes, .size = size };
	xmlTextReaderPtr xml;
	char href[ADDRESS_MAX], rel[24];
	bool place = false;

	xml_refuse_entities(bytes, size);
	xml = xml_open_utf8(&all);
	while (xmlTextReaderRead(xml) == 1) {
		int type = xmlTextReaderNodeType(xml);
		const char *value = (const char *)xmlTextReaderConstValue(xml);

		if (type == XML_READER_TYPE_ELEMENT && !*o->title)
			snprintf(o->title, sizeof o->title, "%s", xml_name(xml));
		if (type == XML_READER_TYPE_ELEMENT) {
			place = xml_is(xml, "loc") || xml_is(xml, "link");
			if (xml_is(xml, "link") && xml_attribute(xml, "href", href, sizeof href) &&
			    (!xml_attribute(xml, "rel", rel, sizeof rel) || strcmp(rel, "alternate") == 0))
				out_link(o, href, strlen(href));
		} else if (type == XML_READER_TYPE_END_ELEMENT) {
			place = false;
		} else if (place && value &&
		           (type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA)) {
			out_link(o, value, strlen(value));
		}
	}
	xmlFreeTextReader(xml);
}

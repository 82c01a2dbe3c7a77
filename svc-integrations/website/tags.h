/*
 * website/tags: the tags of a page, as a browser would meet them: not those in comments, nor in what is no markup (<style>, <textarea>)
 * or is not for a browser with scripts (<noscript>, <template>). A page may be anything: each byte is looked at a few times at most.
 */
#ifndef PARLEY_WEBSITE_TAGS_H
#define PARLEY_WEBSITE_TAGS_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of the page; not terminated. */
struct piece {
	const char *at;
	size_t size;
};

struct tag {
	struct piece name, attributes;
	struct piece script; /* of a <script>: what it is made of */
};

/* The next <script> or <meta>, from *at on, which moves behind it. false: there is none. */
bool tag_next(const char **at, struct tag *ret);

/* The value of an attribute; "" for one without. false: it has none of that name. */
bool tag_attribute(const struct tag *tag, const char *name, struct piece *ret);

bool piece_is(struct piece p, const char *word); /* in whatever case */
bool piece_has(struct piece p, const char *words);

#endif

/*
 * website/policy: does a Content-Security-Policy of a page (of its headers, or a <meta>) let our script work there?
 */
#ifndef PARLEY_WEBSITE_POLICY_H
#define PARLEY_WEBSITE_POLICY_H

#include <stddef.h>

/* Origins as browsers write them, "https://shop.example.com"; nonce: the tag's ("" without). */
struct policy_view {
	const char *page, *script, *nonce;
};

/* The directive that keeps it out, "script-src" or "connect-src"; NULL: none does. text: one policy, or several with commas between. */
const char *policy_blocks(const char *text, size_t size, const struct policy_view *view);

#endif

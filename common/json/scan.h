/*
 * json_scan: is this JSON, by RFC 8259 and nothing looser? For json.c alone.
 */
#ifndef PARLEY_JSON_SCAN_H
#define PARLEY_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct scan {
	const unsigned char *start, *at, *end;
	const char *why; /* the first thing wrong, found at `at` */
	int containers;
};

bool json_scan(struct scan *s, const char *bytes, size_t length);

#endif

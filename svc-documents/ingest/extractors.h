/* extractors: what extract.c, which gives places, and extract_once.c, which runs the helper, share. */
#ifndef PARLEY_DOCUMENTS_EXTRACTORS_H
#define PARLEY_DOCUMENTS_EXTRACTORS_H

#include <pthread.h>

#include "svc-documents/ingest/extract.h"

struct extractors {
	const char *program;
	char megabytes[16];
	const char *languages; /* of text in pictures */
	atomic_int ocr;        /* can that be read? */
	pthread_t finds_ocr;
	bool finding;
	atomic_bool closing;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* places, or ocr */
	int places;
};

/* Why nothing further is to be done for this wish: -1, else 0. */
int extract_given_up(const struct wish *w, struct error *err) CHECKED;
/* Of bytes that have no end of their own; the heap's memory. */
char *extract_copy(const char *bytes, size_t size);

#endif

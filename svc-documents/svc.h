/* svc: what a running svc-documents has: made in main.c, read by handlers and jobs. */
#ifndef PARLEY_DOCUMENTS_SVC_H
#define PARLEY_DOCUMENTS_SVC_H

#include "common/egress/egress.h"
#include "common/job/job.h"
#include "common/service/call.h"
#include "common/text/language.h"
#include "svc-documents/follow.h"
#include "svc-documents/ingest/embed.h"
#include "svc-documents/ingest/extract.h"
#include "svc-documents/ingest/room.h"
#include "svc-documents/ingest/watch.h"
#include "svc-documents/s3.h"
#include "svc-documents/search/cache.h"
#include "svc-documents/search/corpora.h"
#include "svc-documents/search/rerank.h"
#include "svc-documents/store.h"

struct settings {
	const char *extract, *ocr_languages;
	const char *embedding_provider, *embedding_url, *embedding_key, *embedding_model;
	const char *rerank_url, *rerank_key, *rerank_model;
	const char *s3_url, *s3_region, *s3_key, *s3_secret;
	struct quota quota; /* of one user */
	int64_t upload_max, page_max, jobs, extract_memory, embedding_same, crawl_pages, crawl_delay;
};

struct documents {
	const struct settings *set;
	struct service *service;
	struct egress *egress;
	struct embedder embedder;
	struct reranker reranker;
	struct s3 s3;
	struct watch *watch;
	struct cache *cache;
	struct corpora *corpora;
	struct stemmers_shelf *stemmers;
	struct room *room;
	struct follow *follow;
	struct job_runner *jobs;
	struct job_runner *indexer; /* hnsw.h; NULL where no vectors are made */
	struct extractors *extractors;
	char extract[4096]; /* where the helper program is */
};

#endif

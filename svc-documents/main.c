/* svc-documents: what people upload, the text in it, and finding the passages that answer a question. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/job/event.h"
#include "common/service/service.h"
#include "documents.methods.h"
#include "svc-documents/ingest/hnsw.h"
#include "svc-documents/ingest/ingest.h"
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"
#include "svc-documents/store_hnsw.h"
#include "svc-documents/store_search.h"
#include "svc-documents/store_site.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_text.h"
#include "svc-documents/store_vectors.h"
#include "svc-documents/svc.h"

static const struct config_key keys[] = {
	CONFIG_ONE_OF(
	    struct settings, embedding_provider, "EMBEDDING_PROVIDER", "builtin", "builtin|openai",
	    "who makes vectors: builtin (nobody: words alone are searched), or openai for any server with its API"),
	CONFIG_URL(struct settings, embedding_url, "EMBEDDING_BASE_URL", "https://api.openai.com/v1",
	           "http|https", "where that server is"),
	CONFIG_SECRET(struct settings, embedding_key, "EMBEDDING_API_KEY", "", "its key"),
	CONFIG_TEXT(struct settings, embedding_model, "EMBEDDING_MODEL", "text-embedding-3-small",
	            "its model"),
	CONFIG_BETWEEN(struct settings, embedding_same, "EMBEDDING_SAME", "85", 1, 100,
	               "how near two questions are that ask the same (cosine, in hundredths): models differ"),
	CONFIG_URL(struct settings, rerank_url, "RERANK_URL", "", "http|https",
	           "a reranker that orders the best passages (https://api.jina.ai/v1/rerank); empty: none"),
	CONFIG_SECRET(struct settings, rerank_key, "RERANK_API_KEY", "", "its key"),
	CONFIG_TEXT(struct settings, rerank_model, "RERANK_MODEL", "jina-reranker-v2-base-multilingual",
	            "its model"),
	CONFIG_INT(struct settings, upload_max, "DOCUMENTS_UPLOAD_MAX", "52428800", "largest file, bytes"),
	CONFIG_INT(struct settings, page_max, "DOCUMENTS_PAGE_MAX", "10485760", "largest web page, bytes"),
	CONFIG_BETWEEN(struct settings, quota.documents, "DOCUMENTS_PER_USER", "10000", 1, 100000000,
	               "documents that one user may have"),
	CONFIG_BETWEEN(struct settings, quota.bytes, "DOCUMENTS_BYTES_PER_USER", "10737418240", 1,
	               1000000000000000, "and how large they may be together"),
	CONFIG_BETWEEN(struct settings, jobs, "DOCUMENTS_JOBS", "3", 1, 64,
	               "documents processed at once; the last place is kept for whoever has none under way"),
	CONFIG_BETWEEN(struct settings, extract_memory, "DOCUMENTS_EXTRACT_MEMORY", "256", 32, 65536,
	               "MiB that reading one file may take; as many are read at once as there are jobs"),
	CONFIG_TEXT(
	    struct settings, ocr_languages, "DOCUMENTS_OCR_LANGUAGES", "eng",
	    "languages of text in pictures and scans (eng+deu), where tesseract and their data are installed"),
	CONFIG_BETWEEN(struct settings, crawl_pages, "DOCUMENTS_CRAWL_PAGES", "1000", 1, 10000,
	               "pages of one site that are read at most, whatever is asked for"),
	CONFIG_BETWEEN(struct settings, crawl_delay, "DOCUMENTS_CRAWL_DELAY", "500", 0, 60000,
	               "ms between two requests to a site; its robots.txt may ask for more"),
	CONFIG_URL(
	    struct settings, s3_url, "DOCUMENTS_S3_URL", "", "http|https",
	    "where originals are kept, with the bucket (https://s3.eu-central-1.amazonaws.com/parley); empty: in PostgreSQL"),
	CONFIG_TEXT(struct settings, s3_region, "DOCUMENTS_S3_REGION", "us-east-1", "its region"),
	CONFIG_SECRET(struct settings, s3_key, "DOCUMENTS_S3_KEY", "", "the access key there"),
	CONFIG_SECRET(struct settings, s3_secret, "DOCUMENTS_S3_SECRET", "", "and its secret"),
	CONFIG_TEXT(struct settings, extract, "DOCUMENTS_EXTRACT", "",
	            "the program that reads files; empty: parley-extract beside this one"),
};

enum { CACHE_BYTES = 24 << 20 /* of chunks searched lately (some 5,000), and of small documents' lists */ };

static void choose_embedder(struct documents *svc)
{
	const struct settings *set = svc->set;

	if (strcmp(set->embedding_provider, "builtin") == 0)
		return;
	svc->embedder = (struct embedder){ .weight = 0.35,
		                           .least_cosine = 0.3,
		                           .same = (double)set->embedding_same / 100,
		                           .exact_max = 200000,
		                           .egress = svc->egress,
		                           .url = set->embedding_url,
		                           .key = set->embedding_key,
		                           .name = set->embedding_model };
}

/* What reads strangers' files must be shut in, or nothing is read. */
static int try_helper(struct documents *svc, struct error *err)
{
	char *jail;

	svc->extractors = extractors_open(svc->extract, (int)svc->set->extract_memory, (int)svc->set->jobs,
	                                  svc->set->ocr_languages);
	if (extractors_try(svc->extractors, &jail, err) < 0)
		return -1;
	log_line(LOG_INFO, "files are read in a jail", LOG_TEXT("jail", jail));
	free(jail);
	extractors_find_ocr(svc->extractors);
	return 0;
}

/* parley-extract lies beside this program unless told otherwise. */
static int find_helper(struct documents *svc, struct error *err)
{
	ssize_t n;
	char *slash;

	snprintf(svc->extract, sizeof svc->extract, "%s", svc->set->extract);
	if (!*svc->extract) {
		n = readlink("/proc/self/exe", svc->extract, sizeof svc->extract - sizeof "parley-extract");
		slash = n > 0 ? memrchr(svc->extract, '/', (size_t)n) : NULL;
		if (!slash)
			return error_internal(err, "/proc/self/exe cannot be read");
		memcpy(slash + 1, "parley-extract", sizeof "parley-extract");
	}
	if (access(svc->extract, X_OK) < 0)
		return error_set(err, ERROR_INVALID, "%s is missing or cannot be run (DOCUMENTS_EXTRACT)",
		                 svc->extract);
	return try_helper(svc, err);
}

/* What goes on by itself: sweeping, and what an older version or another model has left. */
static int add_standing_jobs(struct documents *svc, struct error *err)
{
	struct db db;
	int rc;

	db_init(&db, service_db(svc->service));
	rc = job_add(&db, "sweep", NULL, "sweep", "{}", 60, err);
	if (rc == 0)
		rc = job_add(&db, "rounds", NULL, "rounds", "{}", 1, err);
	if (rc == 0)
		rc = job_add(&db, "again", NULL, "again", "{}", 1, err);
	if (rc == 0 && svc->embedder.egress)
		rc = hnsw_look(&db, 1, err);
	db_done(&db);
	return rc;
}

static void stop(void *state)
{
	struct documents *svc = state;

	if (svc->jobs)
		job_runner_stop(svc->jobs);
	if (svc->indexer)
		job_runner_stop(svc->indexer);
	follow_close(svc->follow);
	watch_close(svc->watch);
	cache_free(svc->cache);
	corpora_free(svc->corpora);
	stemmers_shelf_free(svc->stemmers);
	room_free(svc->room);
	extractors_close(svc->extractors);
	free(svc);
}

static int open_all(struct documents *svc, struct error *err)
{
	if (find_helper(svc, err) < 0 || watch_open(service_database_url(svc->service), &svc->watch, err) < 0)
		return -1;
	svc->egress = service_egress(svc->service);
	choose_embedder(svc);
	if (*svc->set->rerank_url)
		svc->reranker = (struct reranker){ svc->egress, svc->set->rerank_url, svc->set->rerank_key,
			                           svc->set->rerank_model };
	if (*svc->set->s3_url)
		svc->s3 = (struct s3){ svc->egress, svc->set->s3_url, svc->set->s3_region, svc->set->s3_key,
			               svc->set->s3_secret };
	svc->cache = cache_new(CACHE_BYTES);
	svc->corpora = corpora_new();
	svc->stemmers = stemmers_shelf_new();
	svc->room = room_new();
	svc->follow = follow_open(svc->service, svc->watch);
	(void)service_peer(svc->service, "chatbots"); /* known to be there by the time that somebody asks */
	if (add_standing_jobs(svc, err) < 0)
		return -1;
	if (svc->embedder.egress && job_runner_start(svc->service, &hnsw_kind, 1, 1, &svc->indexer, err) < 0)
		return -1;
	return job_runner_start(svc->service, ingest_kinds, ingest_kind_count, (int)svc->set->jobs,
	                        &svc->jobs, err);
}

static int start(struct service *service, void *settings, void **state, struct error *err)
{
	struct documents *svc = calloc(1, sizeof *svc);

	if (!svc)
		abort();
	svc->service = service;
	svc->set = settings;
	*state = svc; /* jobs may begin before we return */
	if (open_all(svc, err) == 0)
		return 0;
	stop(svc);
	*state = NULL;
	return -1;
}

int main(int argc, char **argv)
{
	static const struct db_stmt *const statements[] = { store_statements,         store_files_statements,
		                                            store_index_statements,   store_search_statements,
		                                            store_hnsw_statements,    store_site_statements,
		                                            store_small_statements,   store_text_statements,
		                                            store_vectors_statements, job_statements,
		                                            event_statements,         NULL };
	static struct settings settings;

	return service_main(argc, argv,
	                    &(struct service_config){
	                        .contract = &documents_contract,
	                        .peers = (const char *const[]){ "chatbots", "integrations", NULL },
	                        .statements = statements,
	                        .keys = keys,
	                        .key_count = sizeof keys / sizeof *keys,
	                        .settings = &settings,
	                        .start = start,
	                        .stop = stop,
	                    });
}

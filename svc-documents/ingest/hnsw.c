#include "svc-documents/ingest/hnsw.h"

#include "common/base/log.h"
#include "common/db/apart.h"
#include "common/service/service.h"
#include "documents.methods.h"
#include "svc-documents/store_hnsw.h"
#include "svc-documents/svc.h"

enum { LOOK_AGAIN = 600 /* seconds */ };

int hnsw_look(struct db *db, int delay, struct error *err)
{
	return job_add(db, "hnsw", NULL, "hnsw", "{}", delay, err);
}

/* 1 something was done, 0 there is nothing to do, -1. */
static int step(struct call *call)
{
	const struct documents *svc = documents_state(call);
	const char *sql;
	int due = store_hnsw_due(call->db, HNSW_LEAST, &sql, call->arena, call->err);

	if (due <= 0)
		return due;
	log_line(LOG_INFO, "an index of vectors is made or dropped", LOG_TEXT("statement", sql));
	return db_run_apart(&(struct db_apart){ .url = service_database_url(svc->service),
	                                        .schema = "documents",
	                                        .lock = "parley.hnsw",
	                                        .stop = call->cancelled },
	                    sql, call->err);
}

static int run(struct call *call, const struct job *job)
{
	const struct documents *svc = documents_state(call);
	const char *missing;
	struct db db;
	int rc;

	(void)job;
	if (store_hnsw_missing(call->db, &missing, call->arena, call->err) < 0)
		return -1;
	if (missing) {
		log_line(LOG_INFO, "vectors have no index, however many they are", LOG_TEXT("why", missing));
		return 0;
	}
	rc = step(call);
	if (rc < 0)
		return -1;
	db_init(&db, service_db(svc->service)); /* the call's own time may be over */
	rc = hnsw_look(&db, rc ? 1 : LOOK_AGAIN, call->err);
	db_done(&db);
	return rc;
}

const struct job_kind hnsw_kind = {
	.kind = "hnsw", .run = run, .attempts = 20, .first_pause_ms = 60 * 1000, .lease_ms = 60 * 1000
};

#include "svc-integrations/sweep.h"

#include "common/service/service.h"
#include "svc-integrations/store_webhook.h"

enum { SWEEP_SECONDS = 3600 };

static int add(struct db *db, int seconds, struct error *err)
{
	return job_add(db, "sweep", NULL, "sweep", "{}", seconds, err);
}

int sweep_begin(struct service *service, struct error *err)
{
	struct db db;
	int rc;

	db_init(&db, service_db(service));
	rc = add(&db, 0, err);
	db_done(&db);
	return rc;
}

static int run(struct call *call, const struct job *job)
{
	(void)job;
	if (store_sweep_deliveries(call->db, call->err) < 0 || store_sweep_events(call->db, call->err) < 0 ||
	    store_sweep_installs(call->db, call->err) < 0)
		return -1;
	return add(call->db, SWEEP_SECONDS, call->err);
}

const struct job_kind sweep_job = {
	.kind = "sweep", .run = run, .attempts = 20, .first_pause_ms = 60 * 1000, .lease_ms = 600 * 1000
};

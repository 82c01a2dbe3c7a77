/* links: svc-documents/store.c svc-documents/store_files.c svc-documents/store_columns.c svc-documents/store_index.c svc-documents/store_search.c svc-documents/store_site.c svc-documents/store_hnsw.c svc-documents/store_small.c svc-documents/store_text.c svc-documents/store_vectors.c svc-documents/search/small.c svc-documents/ingest/embed.c svc-documents/ingest/parts.c svc-documents/search/query.c svc-documents/search/respell.c svc-documents/search/index.c svc-documents/ingest/normalise.c build/gen/documents.migrations.c tests/unit/sharded.c */
#include "common/service/idempotency.h"
#include "svc-documents/store.h"
#include "svc-documents/store_files.h"
#include "svc-documents/store_hnsw.h"
#include "svc-documents/store_index.h"
#include "svc-documents/store_search.h"
#include "svc-documents/store_site.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_text.h"
#include "svc-documents/store_vectors.h"
#include "tests/unit/sharded.h"

extern const struct db_migration documents_migrations[];

int main(void)
{
	static const struct db_stmt *const tables[] = { store_statements,
		                                        store_files_statements,
		                                        store_index_statements,
		                                        store_search_statements,
		                                        store_site_statements,
		                                        store_hnsw_statements,
		                                        store_small_statements,
		                                        store_text_statements,
		                                        store_vectors_statements,
		                                        idempotency_statements,
		                                        NULL };
	/* Of any owner: sweeps, and what is to be done anew. */
	static const char *const allowed[] = {
		"sweep",       "next_poster", "of_other_models", "of_other_words", "idempotency_sweep",
		"sweep_known", "s3_orphans",  "s3_unmoved",      "sites_due",      "hnsw_due",
		NULL
	};

	return sharded_main(&(struct sharded){ documents_migrations, tables, allowed });
}

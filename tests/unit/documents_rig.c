#include "tests/unit/documents_rig.h"

#include <stdio.h>
#include <string.h>

#include "svc-documents/search/small.h"
#include "svc-documents/store_files.h"
#include "svc-documents/store_hnsw.h"
#include "svc-documents/store_search.h"
#include "svc-documents/store_site.h"
#include "svc-documents/store_small.h"
#include "svc-documents/store_text.h"
#include "svc-documents/store_vectors.h"

extern const struct db_migration documents_migrations[];

static char plans[2][1024]; /* what the database says of two statements */

static const struct db_stmt test_statements[] = {
	{ "t_pieces", "SELECT count(*) FROM piece" },
	{ "t_rows", "SELECT (SELECT count(*) FROM content) + (SELECT count(*) FROM chunk) +"
	            " (SELECT count(*) FROM embedding) + (SELECT count(*) FROM posting) +"
	            " (SELECT count(*) FROM piece_of_text) + (SELECT count(*) FROM vocabulary)" },
	{ "t_chunks", "SELECT count(*) FROM chunk" },
	{ "t_counted", "SELECT sum(documents * 1000000 + chunks * 1000 + terms) FROM"
	               " (SELECT documents, chunks, terms FROM corpus UNION ALL"
	               " SELECT documents, chunks, terms FROM corpus_part) c" },
	{ "t_postings", "SELECT count(*) FROM posting" },
	{ "t_blocks", "SELECT count(*) FROM vocabulary WHERE lists IS NOT NULL" },
	{ "t_small",
	  "SELECT sum(small) FROM (SELECT small FROM corpus UNION ALL SELECT small FROM corpus_part) c" },
	{ "t_much",
	  "INSERT INTO posting SELECT $1, n, md5((n / 100)::text)::uuid, '' FROM generate_series(1, 3000) n" },
	{ "t_analyze", "ANALYZE posting" },
	{ "t_jobs", "SELECT count(*) FROM job" },
	{ "t_refuse", "SELECT 1 / $1::int" },
	{ "t_light", "SELECT (current_setting('synchronous_commit') = 'off')::int" },
	{ "t_add_job", "INSERT INTO job (kind, owner_id) VALUES ('ingest', $1)" },
	{ "t_drop_user", "DELETE FROM auth.users WHERE uid = $1" },
	{ "t_age", "UPDATE piece SET created_at = now() - interval '2 hours'" },
	{ "t_plan_all", plans[0] },
	{ "t_plan_of", plans[1] },
	{ NULL, NULL },
};

int documents_rig_open(void **state)
{
	static const struct db_stmt *const tables[] = { store_statements,       store_files_statements,
		                                        store_index_statements, store_search_statements,
		                                        store_site_statements,  store_small_statements,
		                                        store_text_statements,  store_vectors_statements,
		                                        test_statements,        NULL };

	(void)state;
	for (const struct db_stmt *s = store_search_statements; s->name; s++)
		if (strcmp(s->name, "lists_all") == 0 || strcmp(s->name, "lists_of") == 0)
			snprintf(plans[s->name[6] == 'o'], sizeof *plans, "EXPLAIN %s", s->sql);
	return store_rig_open(&(struct store_rig){ .schema = "documents",
	                                           .migrations = documents_migrations,
	                                           .statements = tables,
	                                           .measured = (const char *const[]){ "text", NULL } });
}

/* A document of Ada's with a file of two pieces. */
const char *new_document(void)
{
	static const struct quota plenty = { INT64_MAX, INT64_MAX };
	struct new_document d = { .id = store_rig_id(),
		                  .name = "a.txt",
		                  .type = "txt",
		                  .status = "pending",
		                  .size = 6,
		                  .file = store_rig_id() };

	for (int i = 0; i < 2; i++)
		OK(store_put_piece(&db, ADA, d.file, i, (ProtobufCBinaryData){ 3, (uint8_t *)"abc" }, &err));
	OK(store_create(&db, ADA, &d, &plenty, &err));
	return d.id;
}

/* What processing yields, of a text of `count` words. */
struct prepared *prepare(size_t count)
{
	struct prepared *p = arena_new(&arena, struct prepared, 1);
	struct stemmers *stemmers = stemmers_new();
	struct index_builder *b = index_begin(stemmers, LANGUAGE_EN);

	p->clean.text = arena_alloc(&arena, 5 * count + 1);
	p->clean.size = 5 * count;
	p->chunks = arena_new(&arena, struct chunk, count);
	p->count = count;
	p->language = LANGUAGE_EN;
	p->size = -1;
	for (size_t i = 0; i < count; i++) {
		memcpy(p->clean.text + 5 * i, "word ", 6);
		p->chunks[i].start = 5 * i;
		p->chunks[i].end = 5 * i + 4;
		p->chunks[i].first = (int64_t)(5 * i);
		p->chunks[i].last = (int64_t)(5 * i + 4);
		index_add(b, "word", 4, NULL);
	}
	index_end(b, &p->index, &arena);
	stemmers_free(stemmers);
	return p;
}

/* A block that is read for its lists: "word" is in all of `chunks`. */
void assert_block(const char *id, uint32_t chunks)
{
	struct small_block *blocks;
	struct index_reader r;
	struct index_list list;
	size_t count;

	OK(store_small_blocks(&db, ADA, (char *[]){ (char *)id }, 1, &blocks, &count, &arena, &err));
	assert_int_equal(count, 1);
	assert_int_equal(small_count(blocks->block.data, blocks->block.len), 1);
	list = small_list(blocks->block.data, blocks->block.len, 0);
	index_reader_init(&r, list.packed, list.size);
	assert_int_equal(r.chunks, chunks);
	OK(store_small_blocks(&db, GRACE, (char *[]){ (char *)id }, 1, &blocks, &count, &arena, &err));
	assert_int_equal(count, 0);
}

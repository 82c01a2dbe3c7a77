/*
 * store_site: what is known of documents that are whole sites, or are read again from time to time: their settings, and
 * their parts (pages, and sitemaps that name some). A round asks for every part once.
 *
 * 1 found, 0 not there, -1 failed, as in store.h.
 */
#ifndef PARLEY_DOCUMENTS_STORE_SITE_H
#define PARLEY_DOCUMENTS_STORE_SITE_H

#include "common/db/db.h"
#include "svc-documents/store.h"

extern const struct db_stmt store_site_statements[];

/* every: seconds between two rounds; 0: none but those asked for. With its first part. */
int store_site_add(struct db *db, const char *owner, const char *id, const char *settings, int every,
                   const char *address, struct error *err) CHECKED;
struct stored_site {
	const char *settings, *robots, *stored; /* robots NULL: to be asked for */
	int round, delay;
	bool repeats;
};
int store_site(struct db *db, const char *owner, const char *id, struct stored_site *ret, struct arena *a,
               struct error *err) CHECKED;
/* A new round; 0: it is no site. */
int store_site_round(struct db *db, const char *owner, const char *id, struct error *err) CHECKED;
int store_site_robots(struct db *db, const char *owner, const char *id, const char *rules, int delay,
                      struct error *err) CHECKED;

/* What a round may cost. */
struct site_budget {
	int pages, requests;
	int64_t bytes;
};
struct stored_part {
	int number, depth;
	bool list;
	const char *address, *hash, *etag, *modified;
	int gone;
};
/* The next part to ask for; 0: the round is over, or has cost what it may. Counts as a request. done, known: pages. */
int store_part_next(struct db *db, const char *owner, const char *id, const struct site_budget *budget,
                    struct stored_part *ret, int64_t *done, int64_t *known, struct arena *a,
                    struct error *err) CHECKED;
/* Those that are not known yet, behind the others, up to `most` parts in all. */
int store_part_add(struct db *db, const char *owner, const char *id, char *const *addresses, size_t count,
                   bool lists, int depth, int most, struct error *err) CHECKED;
/* What a request brought. */
struct part_answer {
	enum { PART_TEXT, PART_SAME, PART_LIST, PART_GONE, PART_PROBLEM } what;
	const char *title, *body, *hash, *etag, *modified;
	const char *problem;
};
int store_part_answer(struct db *db, const char *owner, const char *id, int number,
                      const struct part_answer *answer, struct error *err) CHECKED;

/* The parts that have text, after `number`; bodies in the arena. */
struct part_text {
	int number;
	const char *address, *title, *body, *hash;
};
int store_part_texts(struct db *db, const char *owner, const char *id, int after, int limit, bool bodies,
                     struct part_text **ret, size_t *count, struct arena *a, struct error *err) CHECKED;
/* What went wrong in this round, and what has gone; at most `limit`. */
struct part_problem {
	const char *address, *problem;
	bool gone;
};
int store_part_problems(struct db *db, const char *owner, const char *id, int limit,
                        struct part_problem **ret, size_t *count, struct arena *a, struct error *err) CHECKED;
/* In a transaction, once the document is stored: which of its pages the parts are, and what it was made of. */
int store_site_stored(struct db *db, const char *owner, const char *id, const char *numbers, const char *hash,
                      struct error *err) CHECKED;
/* Only what is told of it has changed. */
int store_site_told(struct db *db, const char *owner, const char *id, const struct fence *f,
                    const char *metadata, struct error *err) CHECKED;

/* Sites whose next round is due. */
int store_sites_due(struct db *db, int limit, struct document_key **ret, size_t *count, struct arena *a,
                    struct error *err) CHECKED;

#endif

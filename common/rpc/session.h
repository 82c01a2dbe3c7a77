/*
 * session: the keys of one sender with one receiver, and the receiver's memory of what it has taken already.
 *
 * A sender makes random bytes for each receiver at each start; its Hello carries them. The receiver answers with a random
 * id, always the same to the same sender. From the cluster key, those bytes and that id both derive two keys, one a
 * direction. Each request has a counter of its session, which is the nonce of both; the receiver takes each counter
 * once: one that it has seen, or that lies SESSION_WINDOW or more behind the newest, is a repetition.
 *
 * A table has room for so many sessions. Those that were opened and never used go first, the one that was silent for
 * longest next: whoever repeats old Hellos drives nobody out. A sender whose session is gone opens it anew.
 */
#ifndef PARLEY_SESSION_H
#define PARLEY_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret/secret.h"

enum { SESSION_SENDER = 32, SESSION_WINDOW = 65536, SESSIONS_MAX = 256 };

struct session {
	uint64_t id; /* 0: none */
	unsigned char request[KEY_SIZE], reply[KEY_SIZE];
};

void session_derive(const unsigned char cluster_key[KEY_SIZE], const unsigned char sender[SESSION_SENDER],
                    uint64_t id, struct session *ret);

/* The receiver's table; serves every thread. */
struct sessions;
struct sessions *sessions_new(const unsigned char cluster_key[KEY_SIZE], int max);
void sessions_free(struct sessions *table);

/* The id of that sender's session, which is made when it has none. */
uint64_t sessions_open(struct sessions *table, const unsigned char sender[SESSION_SENDER]);
/* A copy of its keys; false when the id is not known. */
bool sessions_find(struct sessions *table, uint64_t id, struct session *ret);

/* The counter of a message that was authentic. */
enum session_take { SESSION_TAKEN, SESSION_REPEATED, SESSION_UNKNOWN };
enum session_take sessions_take(struct sessions *table, uint64_t id, uint64_t counter);

void sessions_forget(struct sessions *table); /* all of them: for tests */

#endif

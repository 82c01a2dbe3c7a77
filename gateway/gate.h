/*
 * gate: how many may be inside at once, and how many of those may be one client's.
 *
 * Nobody waits at a gate: who finds no place is refused. The last eighth of the places is for those that hold none. Of
 * the others a user (or, where nobody is signed in, a client) may hold as many as are still free: one alone gets half,
 * the next half of what is left. All users behind one address together (an office, a proxy that nobody named) get nearly
 * all of them.
 */
#ifndef PARLEY_GATE_H
#define PARLEY_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct gate;

/* Whose place it is; zero: nobody's, there is none to give back. */
struct gate_place {
	uint64_t user, client;
};

struct gate *gate_new(int room);
void gate_free(struct gate *g); /* NULL is fine */

/* false: no place for them. user: an id, or NULL. */
bool gate_enter(struct gate *g, const char *user, const char *ip, struct gate_place *ret);
void gate_leave(struct gate *g, struct gate_place *place); /* may be called again: nothing happens */

#endif

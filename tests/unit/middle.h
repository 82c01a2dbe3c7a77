/*
 * middle: a socket in the middle of two programs, as somebody on the network between them has it: it passes on what it
 * gets, keeps a copy of all of it, and can let connections die without a word.
 */
#ifndef PARLEY_TESTS_MIDDLE_H
#define PARLEY_TESTS_MIDDLE_H

#include <stddef.h>

#include "common/base/arena.h"

struct middle;

struct middle *middle_open(int to_port);
int middle_port(const struct middle *m); /* where it listens */
/* From now on the connections that stand carry nothing, and neither side is told. New ones work. */
void middle_freeze(struct middle *m);
int middle_connections(const struct middle *m);
/* What went to the server (0) or came back (1) over that connection so far. */
const unsigned char *middle_heard(struct middle *m, int connection, int direction, size_t *size,
                                  struct arena *a);
void middle_close(struct middle *m);

#endif

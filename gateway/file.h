/*
 * file: routes that answer a file (`file` in their contract): an original, an export. A service gives it in pieces, and
 * the gateway sends each before it asks for the next, so that its size does not count here.
 *
 * Of a file whose size is known a part can be asked for (Range). One whose size is not is sent in chunks, so that a client
 * sees it when the end is missing. What a file holds is foreign: it is offered for saving, and runs nothing where a
 * browser shows it all the same.
 */
#ifndef PARLEY_FILE_H
#define PARLEY_FILE_H

#include "gateway/gateway.h"

/* The beginning of the file that a reply holds; NULL: none, the reply is an answer like any other. */
const Rpc__FilePiece *file_of(const struct route *route, const ProtobufCMessage *reply);

/* Answers with it. in: the request, which is sent again for each piece. */
int file_serve(struct exchange *x, ProtobufCMessage *in, const Rpc__FilePiece *first) CHECKED;

#endif

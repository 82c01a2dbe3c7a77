/*
 * upload: multipart/form-data with a file, passed on as it comes.
 *
 * The file goes to the service in pieces of 256 KiB (PutChunk), under an id made here; a larger message would hold up
 * everybody on that connection. Then the route's own method is called with the form's other fields, that id, the
 * file's name and its size. Pieces of an upload that broke off are swept by the service. A file of up to 64 KiB goes with
 * that call, as its `content`.
 */
#ifndef PARLEY_UPLOAD_H
#define PARLEY_UPLOAD_H

#include "gateway/gateway.h"

int upload_receive(struct exchange *x) CHECKED;

#endif

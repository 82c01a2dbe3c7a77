/* s3: objects in a bucket of Amazon's S3, or anything that speaks its protocol, signed by libcurl (SigV4). */
#ifndef PARLEY_DOCUMENTS_S3_H
#define PARLEY_DOCUMENTS_S3_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/egress/egress.h"
#include <stdatomic.h>

struct s3 {
	struct egress *egress; /* NULL: there is none */
	const char *url;       /* with the bucket: "https://s3.eu-central-1.amazonaws.com/parley" */
	const char *region, *key, *secret;
};

/* cancelled: a transfer that runs ends when it becomes true. ERROR_UPSTREAM: the server's answer is told in detail. */
int s3_put(const struct s3 *s, const char *name, const void *bytes, size_t size, const atomic_bool *cancelled,
           struct arena *a, struct error *err) CHECKED;
/* size bytes from `from` on, or as many as there are. 1, 0: no such object. */
int s3_get(const struct s3 *s, const char *name, int64_t from, size_t size, const atomic_bool *cancelled,
           struct egress_response *ret, struct arena *a, struct error *err) CHECKED;
int s3_delete(const struct s3 *s, const char *name, const atomic_bool *cancelled, struct arena *a,
              struct error *err) CHECKED;

#endif

/* reader_rig: what the tests of the helper's readers share: a reader is given bytes and says what it makes of them. */
#ifndef PARLEY_TESTS_READER_RIG_H
#define PARLEY_TESTS_READER_RIG_H

#include "svc-documents/helper/helper.h"

struct reader_case {
	const char *name;
	void (*read)(char *bytes, struct out *o);
	const char *bytes, *want;
};
/* Each is read, and must give its text. */
void reader_check(const struct reader_case *cases, size_t count);
/* An archive in memory of such files: names and texts in turn, ended by NULL; close() it. */
int reader_zip(const char *const *files);

#endif

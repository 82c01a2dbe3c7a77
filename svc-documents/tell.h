/* tell: what is said of a document that became ready, or failed, to those who listen (common/job/event.h). */
#ifndef PARLEY_DOCUMENTS_TELL_H
#define PARLEY_DOCUMENTS_TELL_H

#include "common/job/job.h"

int tell_event(struct call *call, const struct job *job) CHECKED;

#endif

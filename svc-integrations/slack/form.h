/* slack/form: the value of a member of application/x-www-form-urlencoded; "" when there is none. In the arena. */
#ifndef PARLEY_SLACK_FORM_H
#define PARLEY_SLACK_FORM_H

#include "common/base/arena.h"

char *form_value(const char *form, const char *name, struct arena *a);

#endif

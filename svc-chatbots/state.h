/* state: what the handlers of svc-chatbots share. */
#ifndef PARLEY_CHATBOTS_STATE_H
#define PARLEY_CHATBOTS_STATE_H

#include <stdint.h>

struct chatbots {
	int64_t per_user; /* how many one user may have */
};

#endif

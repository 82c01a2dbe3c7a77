#include "tests/unit/service_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int service_rig_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	memset(rig_counts, 0, sizeof *rig_counts);
	f->port = rig_free_port();
	f->service = rig_start(f->port, NULL);
	f->peer = rig_peer(NULL, (int[]){ f->port, 0 });
	arena_init(&f->arena, 0);
	rig_wait_ready(f->peer, 1, 10000);
	*state = f;
	return 0;
}

int service_rig_teardown(void **state)
{
	struct fixture *f = *state;

	peer_close(f->peer);
	rig_stop(f->service);
	arena_done(&f->arena);
	free(f);
	return 0;
}

int service_rig_late_teardown(void **state)
{
	usleep(150 * 1000); /* NNG 1.5.2 may hang when an answer arrives during a close */
	return service_rig_teardown(state);
}

char *service_rig_call(struct fixture *f, enum rig_method m, const char *caller, const char *text)
{
	error_clear(&f->err);
	return rig_call(f->peer, m, caller, text, 10000, &f->arena, &f->err);
}

/*
 * service_rig: a service of rpc_rig.h in this process, and a peer that is connected to it, for each test.
 */
#ifndef PARLEY_TESTS_SERVICE_RIG_H
#define PARLEY_TESTS_SERVICE_RIG_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/rpc/internal.h"
#include "tests/unit/rpc_rig.h"

struct fixture {
	struct service *service;
	struct peer *peer;
	struct arena arena;
	struct error err;
	struct stream *silent;
	int port;
	atomic_bool enough;
	atomic_int refused;
};

int service_rig_setup(void **state);
int service_rig_teardown(void **state);
int service_rig_late_teardown(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, service_rig_setup, service_rig_teardown)
#define TEST_WITH_LATE_ANSWERS(name) \
	cmocka_unit_test_setup_teardown(name, service_rig_setup, service_rig_late_teardown)

/* Call it, with ten seconds; NULL: f->err. */
char *service_rig_call(struct fixture *f, enum rig_method m, const char *caller, const char *text);

#endif

/*
 * contract: what the build makes of a whole contract, proto/<service>.proto: <service>_contract in <service>.methods.h,
 * for the program that serves it, and a row of services[] in services.h, for everybody who may ask it. Nothing else of ours
 * knows which services there are.
 */
#ifndef PARLEY_CONTRACT_H
#define PARLEY_CONTRACT_H

#include "common/rpc/method.h"

struct db_migration;

/* Where a service takes calls until the settings say otherwise: tcp://127.0.0.1:port, and its admin port ten above. */
struct service_place {
	const char *name; /* "documents" */
	int port;
};
enum { ADMIN_PORT_ABOVE = 10 };

struct contract {
	const char *name;                      /* also its schema and the prefix of its settings */
	int contexts, waiting;                 /* defaults of those settings */
	const struct method *methods;          /* the last has no name */
	const struct db_migration *migrations; /* the last has no name; NULL: no database */
};

#endif

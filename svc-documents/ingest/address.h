/* address: a web address as people write it, as it goes over the wire. */
#ifndef PARLEY_DOCUMENTS_ADDRESS_H
#define PARLEY_DOCUMENTS_ADDRESS_H

#include "common/base/arena.h"

/* A host with letters beyond ASCII by its IDNA name; blanks and such letters behind it percent-encoded, as browsers do. */
const char *address_ascii(const char *url, struct arena *a);

#endif

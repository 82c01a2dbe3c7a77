/* version: the one place that says which Parley this is: for `GET /` and for openapi.json. */
#ifndef PARLEY_VERSION_H
#define PARLEY_VERSION_H

#define PARLEY_VERSION "0.1.0"

#endif

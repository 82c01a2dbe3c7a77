/*
 * client: the programs that ask to be let in (OAuth clients), and where they may be answered.
 *
 * All are public: no secret, PKCE instead. One is known by a document of its own, whose https address is its id (client id
 * metadata document), or has registered itself (RFC 7591): then its id is what it said of itself, under our MAC. So
 * nothing is stored of it, and however many register, there is nothing to fill up and nothing to sweep. Either way its
 * name is its own claim: whoever asks a person to agree shows the hosts beside it.
 */
#ifndef PARLEY_AUTH_CLIENT_H
#define PARLEY_AUTH_CLIENT_H

#include <stdbool.h>

#include "common/secret/secret.h"
#include "common/service/call.h"

enum { CLIENT_URIS = 10, CLIENT_URI_BYTES = 500, CLIENT_ID_BYTES = 2000, CLIENT_NAME_BYTES = 200 };

struct client {
	const char *id, *name;         /* name: fit to be shown, never empty */
	const char *host;              /* of its document; NULL: it registered itself */
	const char *uris[CLIENT_URIS]; /* where it may be answered */
	int uri_count;
};

/* Who has that id? Reads its document, where it has one. 1; 0 with a sentence in *why; -1. */
int client_find(struct call *call, const char *id, struct client *ret, const char **why) CHECKED;

/* What a client says of itself, as JSON (a document, or a registration). document: the address it came from, or NULL.
 * NULL, or why not: "invalid_redirect_uri" or "invalid_client_metadata". */
const char *client_read(const char *json, size_t size, const char *document, struct client *ret,
                        struct arena *a);
/* The id that holds a client's name and addresses; NULL when they are too much. */
const char *client_make_id(const unsigned char key[KEY_SIZE], const struct client *c, struct arena *a);
/* The client of such an id; false: it is not one of ours. */
bool client_read_id(const unsigned char key[KEY_SIZE], const char *id, struct client *ret, struct arena *a);

/* May that be the address of a client's document? https, or http too where we have no TLS ourselves (plain). */
bool client_is_document(const char *id, bool plain);
const char *client_host(const char *uri, struct arena *a);

/* https, http to this machine, or a scheme of an app's own; nothing that a browser would run or read by itself. */
bool client_uri_fits(const char *uri);
/* Exactly one of its own; to this machine any port will do (RFC 8252, 7.3). */
bool client_may_be_answered_at(const struct client *c, const char *uri);
/* "claude.ai", "this computer (127.0.0.1)", "the app that opens cursor:": for people. */
const char *client_uri_place(const char *uri, struct arena *a);
/* The same as a source of a Content-Security-Policy. */
const char *client_uri_source(const char *uri, struct arena *a);

#endif

/*
 * proof: the six digits and the links that are mailed to an address, to prove that it is whose it is said to be.
 *
 * Both are made from the id of the job that mails them, by HMAC under a key that only svc-auth has: so they are stored
 * nowhere, and a mail that must be sent twice says the same twice. The database keeps a keyed hash of each.
 */
#ifndef PARLEY_AUTH_PROOF_H
#define PARLEY_AUTH_PROOF_H

#include "common/secret/secret.h"

enum {
	PROOF_CODE = 7,  /* six digits and the NUL */
	PROOF_LINK = 44, /* 32 bytes in base64url and the NUL */
	PROOF_HASH = 65, /* hexadecimal */
	PROOF_CODE_SECONDS = 600,
	PROOF_LINK_SECONDS = 3600,
	PROOF_CONFIRM_SECONDS = 86400,
	PROOF_TRIES = 5,
};

void proof_code(const unsigned char key[KEY_SIZE], const char *job_id, char code[PROOF_CODE]);
void proof_link(const unsigned char key[KEY_SIZE], const char *job_id, char link[PROOF_LINK]);

/* What is stored. The code's hash depends on whose it is; that of a link, on nothing: the link names its owner. */
void proof_code_hash(const unsigned char key[KEY_SIZE], const char *owner_id, const char *code,
                     char hash[PROOF_HASH]);
void proof_link_hash(const unsigned char key[KEY_SIZE], const char *link, char hash[PROOF_HASH]);

#endif

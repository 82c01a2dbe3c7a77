/*
 * backup: the installation's secret as a backup holds it: sealed under a passphrase (Argon2id, then AES-256-GCM). Without
 * the secret the stored keys of a database are lost; with it in clear, whoever finds the backup has them all.
 */
#ifndef PARLEY_AUTH_BACKUP_H
#define PARLEY_AUTH_BACKUP_H

#include "common/base/arena.h"
#include "common/base/error.h"

/* The secret in that file as one line of text, in the arena. */
int backup_seal_secret(const char *path, const char *passphrase, char **ret, struct arena *a,
                       struct error *err) CHECKED;
/* What was sealed, into that file (mode 0600). ERROR_INVALID: another passphrase, or no such line; ERROR_CONFLICT: the file
 * is there and holds another secret. The same one is left as it is. */
int backup_open_secret(const char *sealed, const char *passphrase, const char *path, struct arena *a,
                       struct error *err) CHECKED;

#endif

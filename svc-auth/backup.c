#include "svc-auth/backup.h"

#include <argon2.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/id.h"
#include "common/secret/keyring.h"

/* Somebody who holds the file has all the time in the world: four times what a password at sign-in costs. */
enum {
	PASSES = 3,
	MEMORY_KIB = 65536,
	LANES = 1,
	SALT = 16,
	SALT_TEXT = 22,
	PASSPHRASE_MIN = 12,
	SECRET_MAX = 4096
};

static const char context[] = "parley.backup";

static int derive(const char *passphrase, const unsigned char salt[SALT], struct keyring *ring,
                  struct error *err)
{
	unsigned char key[KEY_SIZE];
	int result;

	if (strlen(passphrase) < PASSPHRASE_MIN)
		return error_set(err, ERROR_INVALID, "the passphrase needs %d characters at least",
		                 PASSPHRASE_MIN);
	result = argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, passphrase, strlen(passphrase), salt, SALT, key,
	                           sizeof key);
	if (result != ARGON2_OK)
		return error_internal(err, "argon2: %s", argon2_error_message(result));
	result = keyring_add(ring, "1", key, sizeof key, err);
	explicit_bzero(key, sizeof key);
	return result;
}

/* Into `text`; its length, or -1 with errno. */
static ssize_t read_whole(const char *path, char text[SECRET_MAX])
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, SECRET_MAX);

	if (file >= 0)
		close(file);
	return length;
}

int backup_seal_secret(const char *path, const char *passphrase, char **ret, struct arena *a,
                       struct error *err)
{
	unsigned char salt[SALT];
	char text[SECRET_MAX], salt_text[SALT_TEXT + 1];
	struct keyring ring = { 0 };
	ssize_t length = read_whole(path, text);

	if (length <= 0)
		return error_set(err, ERROR_INVALID, "the secret %s cannot be read: %s", path,
		                 strerror(errno));
	random_bytes(salt, sizeof salt);
	if (derive(passphrase, salt, &ring, err) < 0)
		return -1;
	base64url_encode(salt_text, salt, sizeof salt);
	*ret = arena_printf(a, "%s.%s", salt_text, keyring_seal(&ring, context, text, (size_t)length, a));
	explicit_bzero(&ring, sizeof ring);
	explicit_bzero(text, sizeof text);
	return 0;
}

static int write_new(const char *path, const char *text, size_t length, struct error *err)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), failed;

	if (file < 0)
		return error_set(err, ERROR_INVALID, "the secret %s cannot be made: %s", path,
		                 strerror(errno));
	failed = write(file, text, length) != (ssize_t)length || fsync(file) < 0;
	close(file);
	return failed ? error_set(err, ERROR_INVALID, "the secret %s cannot be written", path) : 0;
}

int backup_open_secret(const char *sealed, const char *passphrase, const char *path, struct arena *a,
                       struct error *err)
{
	unsigned char salt[SALT];
	char *text = NULL, there[SECRET_MAX];
	struct keyring ring = { 0 };
	struct error why = { 0 };
	size_t length = 0;
	ssize_t old;

	if (strlen(sealed) < SALT_TEXT + 2 || sealed[SALT_TEXT] != '.' ||
	    base64url_decode(salt, sizeof salt, sealed, SALT_TEXT) != SALT)
		return error_set(err, ERROR_INVALID, "this is no sealed secret of a backup");
	if (derive(passphrase, salt, &ring, err) < 0)
		return -1;
	if (keyring_open(&ring, context, sealed + SALT_TEXT + 1, &text, &length, a, &why) < 0)
		return error_set(err, ERROR_INVALID,
		                 "the passphrase is not the one that the backup was made with");
	old = read_whole(path, there);
	if (old < 0 && errno == ENOENT)
		return write_new(path, text, length, err);
	if (old == (ssize_t)length && !memcmp(there, text, length))
		return 0;
	return error_set(err, ERROR_CONFLICT,
	                 "%s is there and holds another secret: a backup is restored into an empty place",
	                 path);
}

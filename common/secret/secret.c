#include "common/secret/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/id.h"
#include "common/base/own.h"
#include "common/base/per_thread.h"

enum { SECRET_MIN = 32, SECRET_MAX = 4096 };

OWN_DEFINE(kdf, EVP_KDF *, EVP_KDF_free)
OWN_DEFINE(kdf_ctx, EVP_KDF_CTX *, EVP_KDF_CTX_free)

/* --- The installation's secret ---------------------------------------------------------------------------------- */

/* A fresh secret under another name, then linked: whoever comes second finds a whole file, never half of one. */
static int make_file(const char *path, struct error *err)
{
	unsigned char fresh[KEY_SIZE];
	char text[64], temporary[4096];
	size_t length;
	int file, failed;

	random_bytes(fresh, sizeof fresh);
	length = base64url_encode(text, fresh, sizeof fresh);
	text[length++] = '\n';
	if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary)
		return error_set(err, ERROR_INVALID, "the path of the secret is too long");
	file = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (file < 0)
		return error_set(err, ERROR_INVALID, "the secret %s cannot be made: %s", path,
		                 strerror(errno));
	failed = write(file, text, length) != (ssize_t)length || fsync(file) < 0 ||
	         (link(temporary, path) < 0 && errno != EEXIST);
	if (failed)
		error_set(err, ERROR_INVALID, "the secret %s cannot be made: %s", path, strerror(errno));
	close(file);
	unlink(temporary);
	OPENSSL_cleanse(fresh, sizeof fresh);
	OPENSSL_cleanse(text, sizeof text);
	return failed ? -1 : 0;
}

/* Whoever may write it, or read it, could be us. A file system that nobody can write (where orchestrators put secrets, of
 * any mode) is the operator's affair. */
static int check_mode(int file, const char *path, struct error *err)
{
	struct stat is;
	struct statvfs on;

	if (fstat(file, &is) < 0 || fstatvfs(file, &on) < 0)
		return error_set(err, ERROR_INVALID, "the secret %s cannot be looked at: %s", path,
		                 strerror(errno));
	if (!(is.st_mode & (S_IWGRP | S_IRWXO)) || on.f_flag & ST_RDONLY)
		return 0;
	return error_set(err, ERROR_INVALID, "the secret %s is open to other users (mode %04o): chmod 600 it",
	                 path, is.st_mode & 07777);
}

static int read_file(const char *path, char *text, size_t room, ssize_t *length, struct error *err)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return error_set(err, ERROR_INVALID, "the secret %s cannot be read: %s%s", path,
		                 strerror(errno), errno == ENOENT ? " (svc-auth --init makes it)" : "");
	if (check_mode(file, path, err) < 0) {
		close(file);
		return -1;
	}
	*length = read(file, text, room);
	if (*length < 0)
		error_set(err, ERROR_INVALID, "the secret %s cannot be read: %s", path, strerror(errno));
	close(file);
	return *length < 0 ? -1 : 0;
}

int secret_load(struct secret *ret, const char *path, int make, struct error *err)
{
	char text[SECRET_MAX];
	const char *start = text;
	ssize_t length = 0;

	if (strncmp(path, "env:", 4) == 0) {
		start = path + 4;
		length = (ssize_t)strlen(start);
	} else {
		if (make && access(path, F_OK) < 0 && errno == ENOENT && make_file(path, err) < 0)
			return -1;
		if (read_file(path, text, sizeof text, &length, err) < 0)
			return -1;
	}
	while (length > 0 && strchr(" \t\r\n", start[length - 1]))
		length--;
	if (length < SECRET_MIN)
		return error_set(err, ERROR_INVALID, "the secret has %zd characters; it needs %d at least",
		                 length, SECRET_MIN);
	SHA256((const unsigned char *)start, (size_t)length, ret->master);
	OPENSSL_cleanse(text, sizeof text);
	return 0;
}

void key_derive(const unsigned char key[KEY_SIZE], const void *salt, size_t salt_size, const void *info,
                size_t info_size, unsigned char out[KEY_SIZE])
{
	OWN(kdf) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	OWN(kdf_ctx) EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, KEY_SIZE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_size),
		OSSL_PARAM_END,
	};

	if (!ctx || EVP_KDF_derive(ctx, out, KEY_SIZE, params) != 1)
		abort(); /* an OpenSSL without HKDF: nothing can run */
}

void secret_derive(const struct secret *s, const char *purpose, unsigned char key[KEY_SIZE])
{
	key_derive(s->master, "parley", 6, purpose, strlen(purpose), key);
}

void secret_role_password(const struct secret *s, const char *role, char text[2 * KEY_SIZE + 1])
{
	unsigned char key[KEY_SIZE];
	char purpose[128];

	snprintf(purpose, sizeof purpose, "db/%s", role);
	secret_derive(s, purpose, key);
	hex_encode(text, key, sizeof key);
	OPENSSL_cleanse(key, sizeof key);
}

void secret_offer_role_password(const struct secret *s, const char *role)
{
	char password[2 * KEY_SIZE + 1];

	secret_role_password(s, role, password);
	setenv("PGPASSWORD", password, 0);
	OPENSSL_cleanse(password, sizeof password);
}

void secret_forget(struct secret *s)
{
	OPENSSL_cleanse(s, sizeof *s);
}

/* --- MAC --------------------------------------------------------------------------------------------------------- */

static EVP_MAC_CTX *make_mac(void)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_END,
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	EVP_MAC_free(mac); /* the context holds its own reference */
	if (!ctx || EVP_MAC_CTX_set_params(ctx, params) != 1)
		abort();
	return ctx;
}

PER_THREAD(mac_context, EVP_MAC_CTX, make_mac, EVP_MAC_CTX_free)

void mac_sha256_by(const void *key, size_t key_size, const void *a, size_t a_size, const void *b,
                   size_t b_size, unsigned char mac[MAC_SIZE])
{
	EVP_MAC_CTX *ctx = mac_context();
	size_t length;

	if (EVP_MAC_init(ctx, key, key_size, NULL) != 1 || EVP_MAC_update(ctx, a, a_size) != 1 ||
	    (b && EVP_MAC_update(ctx, b, b_size) != 1) || EVP_MAC_final(ctx, mac, &length, MAC_SIZE) != 1)
		abort(); /* fixed sizes: only a lack of memory fails here */
}

void mac_sha256(const unsigned char key[KEY_SIZE], const void *a, size_t a_size, const void *b, size_t b_size,
                unsigned char mac[MAC_SIZE])
{
	mac_sha256_by(key, KEY_SIZE, a, a_size, b, b_size, mac);
}

int mac_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

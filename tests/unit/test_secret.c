#include "common/secret/keyring.h"
#include "common/secret/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/id.h"

static struct keyring ring_of(int count)
{
	struct keyring ring = { .count = count };

	for (int i = 0; i < count; i++) {
		snprintf(ring.keys[i].id, sizeof ring.keys[i].id, "k%d", count - i);
		memset(ring.keys[i].bytes, count - i, KEY_SIZE);
	}
	return ring;
}

static void a_secret_is_made_once_and_read_again(void **state)
{
	char dir[] = "/tmp/parley-secret.XXXXXX", path[64];
	struct secret first, again;
	struct error err = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/secret", dir);
	assert_int_equal(secret_load(&first, path, 0, &err), -1);
	assert_non_null(strstr(err.message, path));
	error_clear(&err);
	assert_int_equal(secret_load(&first, path, 1, &err), 0);
	assert_int_equal(secret_load(&again, path, 1, &err), 0);
	assert_memory_equal(&first, &again, sizeof first);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	static const int open_to_others[] = { 0666, 0604, 0620 };
	for (int i = 0; i < 3; i++) {
		error_clear(&err);
		assert_int_equal(chmod(path, (mode_t)open_to_others[i]), 0);
		assert_int_equal(secret_load(&again, path, 0, &err), -1);
		assert_non_null(strstr(err.message, "chmod 600"));
	}
	assert_int_equal(chmod(path, 0640), 0); /* a group of the operator's may read it */
	error_clear(&err);
	assert_int_equal(secret_load(&again, path, 0, &err), 0);
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* no temporary file is left */
}

static void secrets_from_the_environment(void **state)
{
	struct secret a, b;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(secret_load(&a, "env:0123456789012345678901234567890123456789", 0, &err), 0);
	assert_int_equal(secret_load(&b, "env:0123456789012345678901234567890123456789\n", 0, &err), 0);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(secret_load(&b, "env:short", 0, &err), -1);
	assert_int_equal(err.code, ERROR_INVALID);
	assert_null(strstr(err.message, "short"));
}

static void purposes_give_different_keys(void **state)
{
	struct secret s;
	unsigned char a[KEY_SIZE], b[KEY_SIZE], again[KEY_SIZE];
	char hex[65];

	(void)state;
	memset(&s, 7, sizeof s);
	secret_derive(&s, "cluster", a);
	secret_derive(&s, "storage", b);
	secret_derive(&s, "cluster", again);
	assert_memory_equal(a, again, sizeof a);
	assert_memory_not_equal(a, b, sizeof a);
	/* What every later version must derive too, or an upgrade locks everybody out. */
	hex_encode(hex, a, sizeof a);
	assert_string_equal(hex, "517bc460e94b79cc8de35915f117ebe39c8af1f56d7046b06c0bcac46896588d");
}

/* RFC 4231 has no key of 32 bytes; this one is from `openssl dgst -sha256 -mac HMAC`. */
static void macs(void **state)
{
	unsigned char key[KEY_SIZE], whole[MAC_SIZE], parts[MAC_SIZE], other[MAC_SIZE];
	char hex[65];

	(void)state;
	memset(key, 0x0b, sizeof key);
	mac_sha256(key, "Hi There", 8, NULL, 0, whole);
	hex_encode(hex, whole, sizeof whole);
	assert_string_equal(hex, "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7");
	mac_sha256(key, "Hi", 2, " There", 6, parts);
	assert_true(mac_equal(whole, parts, MAC_SIZE));
	key[31] ^= 1;
	mac_sha256(key, "Hi There", 8, NULL, 0, other);
	assert_false(mac_equal(whole, other, MAC_SIZE));
}

static void sealed_values_open_again(void **state)
{
	static const char *const plains[] = { "", "x", "a token of some length: \xc3\xa9" };
	struct keyring old = ring_of(1), rotated = ring_of(2);
	struct error err = { 0 };
	struct arena a;
	char *plain;
	size_t size;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
		char *sealed = keyring_seal(&old, "mcp.token/1", plains[i], strlen(plains[i]), &a);
		assert_int_equal(strncmp(sealed, "k1.", 3), 0);
		assert_int_equal(keyring_open(&rotated, "mcp.token/1", sealed, &plain, &size, &a, &err), 0);
		assert_int_equal(size, strlen(plains[i]));
		assert_string_equal(plain, plains[i]);
	}
	assert_int_equal(strncmp(keyring_seal(&rotated, "c", "x", 1, &a), "k2.", 3), 0);
	assert_string_not_equal(keyring_seal(&old, "c", "x", 1, &a), keyring_seal(&old, "c", "x", 1, &a));
	arena_done(&a);
}

static void sealed_values_that_do_not_open(void **state)
{
	struct keyring ring = ring_of(2);
	struct error err;
	struct arena a;
	char *sealed, *altered, *plain;
	size_t size, length;

	(void)state;
	arena_init(&a, 0);
	sealed = keyring_seal(&ring, "mcp.token/1", "hidden words", 12, &a);
	length = strlen(sealed);
	error_clear(&err);
	assert_int_equal(keyring_open(&ring, "mcp.token/2", sealed, &plain, &size, &a, &err), -1);
	assert_int_equal(err.code, ERROR_INTERNAL);
	for (size_t i = 0; i < length; i++) { /* each single character counts */
		altered = arena_strdup(&a, sealed);
		altered[i] = altered[i] == 'A' ? 'B' : 'A';
		error_clear(&err);
		assert_int_equal(keyring_open(&ring, "mcp.token/1", altered, &plain, &size, &a, &err), -1);
		altered = arena_strndup(&a, sealed, i);
		error_clear(&err);
		assert_int_equal(keyring_open(&ring, "mcp.token/1", altered, &plain, &size, &a, &err), -1);
	}
	arena_done(&a);
}

static void a_role_has_its_password_in_the_environment(void **state)
{
	struct secret one = { { 1 } }, two = { { 2 } };
	char mine[2 * KEY_SIZE + 1], other[2 * KEY_SIZE + 1];

	(void)state;
	secret_role_password(&one, "parley_auth", mine);
	assert_int_equal(strlen(mine), 64);
	secret_role_password(&one, "parley_chat", other);
	assert_string_not_equal(mine, other);
	secret_role_password(&two, "parley_auth", other);
	assert_string_not_equal(mine, other);
	unsetenv("PGPASSWORD");
	secret_offer_role_password(&one, "parley_auth");
	assert_string_equal(getenv("PGPASSWORD"), mine);
	secret_offer_role_password(&two, "parley_auth"); /* the operator's own stays */
	assert_string_equal(getenv("PGPASSWORD"), mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_made_once_and_read_again),
		cmocka_unit_test(secrets_from_the_environment),
		cmocka_unit_test(purposes_give_different_keys),
		cmocka_unit_test(macs),
		cmocka_unit_test(sealed_values_open_again),
		cmocka_unit_test(sealed_values_that_do_not_open),
		cmocka_unit_test(a_role_has_its_password_in_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

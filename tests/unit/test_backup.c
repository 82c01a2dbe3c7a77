/* links: svc-auth/backup.c -largon2 */
/* The secret of a backup, sealed under a passphrase. */
#include "svc-auth/backup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char passphrase[] = "correct horse battery",
                  secret[] = "0123456789012345678901234567890123456789\n";

struct fixture {
	struct arena a;
	char folder[64], from[96], to[96];
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	arena_init(&f->a, 0);
	strcpy(f->folder, "/tmp/parley-backup-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->from, sizeof f->from, "%s/from", f->folder);
	snprintf(f->to, sizeof f->to, "%s/to", f->folder);
	write_file(f->from, secret);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->from);
	unlink(f->to);
	rmdir(f->folder);
	arena_done(&f->a);
	free(f);
	return 0;
}

static char *seal(struct fixture *f)
{
	struct error err = { 0 };
	char *sealed = NULL;

	assert_int_equal(backup_seal_secret(f->from, passphrase, &sealed, &f->a, &err), 0);
	return sealed;
}

static void test_sealed_and_opened(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };
	char *sealed = seal(f), text[100] = "";
	struct stat is;
	FILE *file;

	assert_null(strstr(sealed, "0123456789"));
	assert_null(strchr(sealed, '\n'));
	assert_string_not_equal(sealed, seal(f)); /* another salt each time */
	assert_int_equal(backup_open_secret(sealed, passphrase, f->to, &f->a, &err), 0);
	file = fopen(f->to, "r");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(secret));
	fclose(file);
	assert_string_equal(text, secret);
	assert_int_equal(stat(f->to, &is), 0);
	assert_int_equal(is.st_mode & 0777, 0600);
	assert_int_equal(backup_open_secret(sealed, passphrase, f->to, &f->a, &err),
	                 0); /* the same one is there */
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	char *sealed = seal(f), *broken = arena_strdup(&f->a, sealed), *none = NULL;
	struct error err = { 0 };

	assert_int_equal(backup_open_secret(sealed, "another passphrase", f->to, &f->a, &err), -1);
	assert_non_null(strstr(err.message, "not the one"));
	broken[strlen(broken) - 4] ^= 1;
	assert_int_equal(backup_open_secret(broken, passphrase, f->to, &f->a, &err), -1);
	assert_int_equal(backup_open_secret("", passphrase, f->to, &f->a, &err), -1);
	assert_int_equal(backup_open_secret("0123456789012345678901.x", passphrase, f->to, &f->a, &err), -1);
	assert_int_equal(access(f->to, F_OK), -1);
	assert_int_equal(backup_seal_secret(f->from, "short", &none, &f->a, &err), -1);
	assert_int_equal(backup_seal_secret("/nowhere/secret", passphrase, &none, &f->a, &err), -1);
	err = (struct error){ 0 };
	write_file(f->to, "another secret, of forty characters: 1234\n");
	assert_int_equal(backup_open_secret(sealed, passphrase, f->to, &f->a, &err), -1);
	assert_int_equal(err.code, ERROR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sealed_and_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down)
	};

	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}

/* Landlock by its system calls: the C library and Debian 12's headers know little of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, PATH_BENEATH = 1, TELL_VERSION = 1 };
enum { EXECUTE = 1 << 0, READ_FILE = 1 << 2, READ_DIR = 1 << 3 };

struct ruleset {
	uint64_t files, network, scope;
};
struct rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* What pdftotext and its loader open. */
const char *const jail_readable[] = {
	"/etc/ld.so.cache", "/usr/lib",           "/lib", "/lib64", "/usr/lib64",
	"/usr/local/lib",   "/usr/share/poppler", NULL
};

int landlock_version(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, TELL_VERSION);

	return version > 0 ? (int)version : 0;
}

/* Everything that this version can take away. */
static struct ruleset everything(int version, size_t *size)
{
	struct ruleset r = { .files = (1 << 13) - 1 };

	r.files |= version >= 2 ? 1 << 13 : 0; /* moving between folders */
	r.files |= version >= 3 ? 1 << 14 : 0; /* truncating */
	r.files |= version >= 5 ? 1 << 15 : 0; /* ioctl of devices */
	r.network = version >= 4 ? 3 : 0;      /* TCP: bind, connect */
	r.scope = version >= 6 ? 3 : 0;        /* abstract sockets, signals */
	*size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
	return r;
}

/* What is not there needs no rule. */
static void allow(int ruleset, const char *path, uint64_t what)
{
	struct rule rule = { what, open(path, O_PATH | O_CLOEXEC) };
	struct stat st;

	if (rule.parent < 0)
		return;
	if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= EXECUTE | READ_FILE;
	if (syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0) < 0)
		end(VERDICT_CANNOT_RUN, "Landlock takes no rule");
	close(rule.parent);
}

void landlock_restrict(int version, const char *program)
{
	static const char *const loaders[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1",
		                               "/lib64/ld64.so.2", NULL };
	size_t size;
	struct ruleset all = everything(version, &size);
	int ruleset = (int)syscall(CREATE_RULESET, &all, size, 0);

	if (ruleset < 0)
		end(VERDICT_CANNOT_RUN, "Landlock makes no ruleset");
	for (size_t i = 0; program && jail_readable[i]; i++)
		allow(ruleset, jail_readable[i], READ_FILE | READ_DIR);
	for (size_t i = 0; program && loaders[i]; i++)
		allow(ruleset, loaders[i], EXECUTE | READ_FILE);
	if (program)
		allow(ruleset, program, EXECUTE | READ_FILE);
	if (syscall(RESTRICT_SELF, ruleset, 0) < 0)
		end(VERDICT_CANNOT_RUN, "Landlock does not take hold");
	close(ruleset);
}

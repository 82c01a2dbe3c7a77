/* links: svc-documents/helper/jail.c svc-documents/helper/landlock.c svc-documents/helper/broker.c -lseccomp */
/*
 * A probe in the jail of files' readers tries what an attacker would: everything must fail, as root and as an ordinary
 * user, with Landlock and on seccomp alone. It runs as a reader (the same process) and as a program (executed, as
 * pdftotext is), beside a process that stands for the service.
 */
#include "svc-documents/helper/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/process.h"
#include "svc-documents/helper/helper.h"

void end(int verdict, const char *why)
{
	dprintf(2, "# %s\n", why);
	_exit(verdict);
}

/* --- The acts: each tells whether it succeeded -------------------------------------------------------------------- */

struct prey {
	pid_t service;
	const char *folder; /* with a file "secret" that everybody may read and write */
};

static char *in(const struct prey *p, const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", p->folder, name);
	return path;
}

static bool opens(const char *path, int flags)
{
	return open(path, flags, 0600) >= 0;
}

static bool of_service(const struct prey *p, const char *what)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)p->service, what);
	return opens(path, O_RDONLY);
}

static bool read_secret(const struct prey *p)
{
	return opens(in(p, "secret"), O_RDONLY);
}
static bool read_shadow(const struct prey *p)
{
	(void)p;
	return opens("/etc/shadow", O_RDONLY) || opens("/etc/passwd", O_RDONLY);
}
static bool read_round_the_corner(const struct prey *p)
{
	char path[512];

	snprintf(path, sizeof path, "/usr/lib/..%s/../../etc/passwd", "");
	return opens(path, O_RDONLY) || opens("/usr/lib/../../etc/passwd", O_RDONLY) ||
	       opens("/proc/self/root/etc/passwd", O_RDONLY) || opens("/lib/../etc/passwd", O_RDONLY) ||
	       opens(p->folder, O_RDONLY);
}
static bool read_environ(const struct prey *p)
{
	return of_service(p, "environ");
}
static bool read_maps(const struct prey *p)
{
	return of_service(p, "maps");
}
static bool read_mem(const struct prey *p)
{
	return of_service(p, "mem");
}
static bool take_descriptor(const struct prey *p)
{
	int pid = (int)syscall(SYS_pidfd_open, p->service, 0);

	return pid >= 0 || syscall(SYS_pidfd_getfd, 3, 0, 0) >= 0;
}
static bool truncate_it(const struct prey *p)
{
	return opens(in(p, "secret"), O_RDONLY | O_TRUNC) || opens(in(p, "secret"), O_WRONLY) ||
	       truncate(in(p, "secret"), 0) == 0;
}
static bool create(const struct prey *p)
{
	return opens(in(p, "new"), O_RDONLY | O_CREAT) || opens(in(p, "new"), O_RDWR | O_CREAT) ||
	       opens(p->folder, O_TMPFILE | O_RDWR);
}
static bool make_node(const struct prey *p)
{
	return mknod(in(p, "node"), S_IFREG | 0600, 0) == 0 || mkfifo(in(p, "fifo"), 0600) == 0;
}
static bool change_folders(const struct prey *p)
{
	return rmdir(in(p, "empty")) == 0 || mkdir(in(p, "other"), 0700) == 0 ||
	       rename(in(p, "empty"), "/tmp/moved") == 0 || unlink(in(p, "secret")) == 0;
}
static bool change_attributes(const struct prey *p)
{
	return setxattr(in(p, "secret"), "user.x", "y", 1, 0) == 0 || chmod(in(p, "secret"), 0600) == 0 ||
	       fchmod(0, 0600) == 0;
}
static bool change_root(const struct prey *p)
{
	return chroot(p->folder) == 0 || chdir(p->folder) == 0;
}
static bool send_signals(const struct prey *p)
{
	return kill(p->service, 0) == 0 || syscall(SYS_tgkill, p->service, p->service, 0) == 0 ||
	       kill(-1, 0) == 0;
}
static bool open_sockets(const struct prey *p)
{
	int pair[2];

	(void)p;
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 ||
	       socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}
static bool execute(const struct prey *p)
{
	static char *const argv[] = { "true", NULL };

	(void)p;
	execve("/bin/true", argv, NULL);
	execve("/usr/bin/pdftotext", argv, NULL);
	syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL, 0);
	for (int fd = 0; fd < 64; fd++)
		syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
	return false; /* it would have ended us with success */
}
static bool trace(const struct prey *p)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	return ptrace(PTRACE_ATTACH, p->service, 0, 0) == 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ||
	       process_vm_readv(p->service, &here, 1, &there, 1, 0) > 0;
}
static bool multiply(const struct prey *p)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)p;
	if (pid == 0)
		_exit(0);
	return pid > 0;
}
static bool deeper_calls(const struct prey *p)
{
	(void)p;
	return syscall(SYS_io_uring_setup, 1, 0) >= 0 || syscall(SYS_unshare, 0x10000000) == 0 ||
	       syscall(SYS_bpf, 0, 0, 0) >= 0 || syscall(SYS_memfd_create, "x", 0) >= 0 ||
	       syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", 0, 0) >= 0 || syscall(SYS_keyctl, 0, 0) >= 0 ||
	       syscall(SYS_open, "/etc/passwd", O_RDONLY) >= 0 || prctl(PR_SET_DUMPABLE, 1) == 0;
}

static const struct {
	const char *name;
	bool (*act)(const struct prey *p);
} acts[] = {
	{ "read the secret", read_secret },
	{ "read /etc/shadow", read_shadow },
	{ "read round the corner", read_round_the_corner },
	{ "read the service's environment", read_environ },
	{ "read the service's map", read_maps },
	{ "read the service's memory", read_mem },
	{ "take a descriptor of the service", take_descriptor },
	{ "truncate", truncate_it },
	{ "create", create },
	{ "make a node", make_node },
	{ "change folders", change_folders },
	{ "change attributes", change_attributes },
	{ "change the root", change_root },
	{ "send signals", send_signals },
	{ "open sockets", open_sockets },
	{ "trace", trace },
	{ "make processes", multiply },
	{ "deeper system calls", deeper_calls },
	{ "execute", execute },
};

enum { HELD = 77 };

static _Noreturn void probe(const struct prey *p)
{
	int status = HELD;

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (acts[i].act(p)) {
			dprintf(2, "# the jail let it %s\n", acts[i].name);
			status = 1;
		}
	_exit(status);
}

/* --- The jail round it ---------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/parley-jail-XXXXXX", self[64];

/* It ends when its parent does. (A signal of a parent that became nobody would not reach it.) */
static void start_service(pid_t *ret)
{
	pid_t parent = getpid();

	*ret = fork();
	if (*ret == 0) {
		process_start();
		while (getppid() == parent)
			nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000000 }, NULL);
		_exit(0);
	}
}

static _Noreturn void as_reader(const struct jail *jail, const struct prey *p)
{
	jail_enter(jail);
	jail_read(jail);
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		end(1, "the jail let it make code");
	probe(p);
}

static void count(void *arg, const char *bytes, size_t size)
{
	(void)bytes;
	*(size_t *)arg += size;
}

/* The program opens a file that it may: else the jail only holds because nothing works in it. */
static _Noreturn void as_program(const struct jail *jail, const struct prey *p)
{
	char pid[16];
	char *argv[] = { "test_jail", "probe", pid, (char *)p->folder, NULL };
	struct jailed program;
	size_t size = 0;
	int status;

	snprintf(pid, sizeof pid, "%d", (int)p->service);
	jail_enter(jail);
	jail_start(jail, self, argv, &program);
	if (opens("/etc/passwd", O_RDONLY)) /* before the program has written anything */
		end(1, "who reads what a program writes is no reader yet");
	jail_finish(&program, count, &size, &status);
	if (size != 4)
		end(1, "the program could not read what it may read");
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* As Docker does before its version 23, of other processes. */
static void forbid_reading_memory(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(process_vm_readv), 0) < 0 ||
	    seccomp_load(filter) < 0)
		_exit(1);
	seccomp_release(filter);
}

static const struct surroundings {
	const char *name;
	bool no_landlock, no_reading;
} surroundings[] = {
	{ "with all there is", false, false },
	{ "on seccomp alone", true, false },
	{ "on seccomp alone, in a container of an older Docker", true, true },
};

static void held(uid_t user, const struct surroundings *where,
                 void (*run)(const struct jail *, const struct prey *))
{
	const struct jail jail = { .seconds = 10, .megabytes = 256, .no_landlock = where->no_landlock };
	struct prey prey = { .folder = folder };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (user != geteuid() && (setgid(user) < 0 || setuid(user) < 0))
			_exit(1);
		start_service(&prey.service);
		if (where->no_reading)
			forbid_reading_memory();
		run(&jail, &prey);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), HELD);
}

static void with_everybody(void (*run)(const struct jail *, const struct prey *))
{
	char jail[128];

	jail_describe(jail, sizeof jail);
	print_message("%s\n", jail);
	for (size_t i = 0; i < sizeof surroundings / sizeof *surroundings; i++) {
		print_message("%s\n", surroundings[i].name);
		held(geteuid(), &surroundings[i], run);
		if (geteuid() == 0)
			held(12345, &surroundings[i], run);
	}
}

static void test_reader(void **state)
{
	(void)state;
	with_everybody(as_reader);
}

static void test_program(void **state)
{
	(void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	skip(); /* a sanitizer wants more than any program of poppler's */
#endif
	with_everybody(as_program);
}

/* Too much processor time ends with the signal that tells so; too much memory is refused. */
static void test_bounds(void **state)
{
	const struct jail jail = { .seconds = 1, .megabytes = 64 };
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		jail_enter(&jail);
		jail_read(&jail);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
		if (mmap(NULL, 100 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		    MAP_FAILED)
			_exit(1);
#endif
		for (;;)
			;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXCPU);
}

static void write_file(const char *path, const char *from, mode_t mode)
{
	char bytes[65536];
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode), file = open(from, O_RDONLY);
	ssize_t n;

	assert_true(out >= 0 && file >= 0);
	while ((n = read(file, bytes, sizeof bytes)) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(fchmod(out, mode), 0);
	close(out);
	close(file);
}

/* This program where everybody can execute it, and what it is after. */
static int set_up(void **state)
{
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	chmod(folder, 0777);
	snprintf(self, sizeof self, "%s/test_jail", folder);
	write_file(self, "/proc/self/exe", 0755);
	snprintf(path, sizeof path, "%s/secret", folder);
	write_file(path, "/proc/self/cmdline", 0666);
	snprintf(path, sizeof path, "%s/empty", folder);
	return mkdir(path, 0777);
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	unlink(self);
	snprintf(path, sizeof path, "%s/secret", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/empty", folder);
	rmdir(path);
	return rmdir(folder); /* fails when anything was made in it */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_bounds),
	};

	if (argc == 4 && strcmp(argv[1], "probe") == 0) {
		struct prey prey = { (pid_t)strtol(argv[2], NULL, 10), argv[3] };

		if (opens("/usr/lib/os-release", O_RDONLY))
			(void)!write(1, "read", 4);
		probe(&prey);
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

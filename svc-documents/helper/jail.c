#include "svc-documents/helper/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"

enum { NOBODY = 65534, FILES = 61, PROGRAM = 61 /* the first number that no open() gives */ };

static bool needs_broker(const struct jail *jail)
{
	return jail->no_landlock || !landlock_version();
}

/* --- Bounds ------------------------------------------------------------------------------------------------------- */

static void bound(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { soft, hard };

	if (setrlimit(what, &limit) < 0)
		end(VERDICT_CANNOT_RUN, "setrlimit fails");
}

/* In a user namespace there may be no nobody: then root there is nobody outside. */
static void leave_root(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		if (errno != EINVAL && errno != EPERM)
			end(VERDICT_CANNOT_RUN, "root cannot become nobody");
}

static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		end(VERDICT_CANNOT_RUN, "prctl fails");
	if (getppid() != parent)
		_exit(VERDICT_CANNOT_RUN);
}

void jail_enter(const struct jail *jail)
{
	rlim_t seconds = (rlim_t)jail->seconds;
	pid_t parent = getppid();

	leave_root();
	die_with(parent);
	/* The broker must see the program's memory; else nobody of that user sees ours. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, needs_broker(jail)) < 0)
		end(VERDICT_CANNOT_RUN, "prctl fails");
	bound(RLIMIT_CORE, 0, 0);
	bound(RLIMIT_FSIZE, OUTPUT_MAX, OUTPUT_MAX);
	bound(RLIMIT_CPU, seconds, seconds + 5);                  /* the first is a signal that tells why */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* whose shadow memory counts */
	bound(RLIMIT_DATA, (rlim_t)jail->megabytes << 20, (rlim_t)jail->megabytes << 20);
#endif
}

/* --- System calls ------------------------------------------------------------------------------------------------- */

#define EVERYBODY                                                                                 \
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),    \
	    SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(brk), SCMP_SYS(munmap),   \
	    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),            \
	    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(rt_sigaction),              \
	    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),              \
	    SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield), \
	    SCMP_SYS(exit), SCMP_SYS(exit_group)

static const int reader_calls[] = { EVERYBODY, SCMP_SYS(wait4), SCMP_SYS(poll), SCMP_SYS(ppoll) };

/* mmap() and mprotect() with execution, for the loader; what tells of files by name tells no more than that. */
static const int program_calls[] = {
	EVERYBODY,
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(getdents64),
	SCMP_SYS(fadvise64),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(sched_getaffinity),
};

static void rule(scmp_filter_ctx filter, uint32_t action, int call, unsigned count,
                 const struct scmp_arg_cmp *args)
{
	/* Numbers below zero are calls that this machine does not have. */
	if (seccomp_rule_add_array(filter, action, call, count, args) < 0 && call >= 0)
		end(VERDICT_CANNOT_RUN, "seccomp does not take a rule");
}

static void allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rule(filter, SCMP_ACT_ALLOW, calls[i], 0, NULL);
}

static scmp_filter_ctx filter_new(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!filter)
		end(VERDICT_CANNOT_RUN, "seccomp fails");
	return filter;
}

static void load(scmp_filter_ctx filter)
{
	if (seccomp_load(filter) < 0)
		end(VERDICT_CANNOT_RUN, "the kernel does not take the seccomp filter");
}

void jail_read(const struct jail *jail)
{
	int version = jail->no_landlock ? 0 : landlock_version();
	const struct scmp_arg_cmp descriptor = SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH); /* fstat() */
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	scmp_filter_ctx filter = filter_new();

	if (version)
		landlock_restrict(version, NULL);
	allow(filter, reader_calls, sizeof reader_calls / sizeof *reader_calls);
	rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, &descriptor);
	rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code);
	rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_code);
	load(filter);
}

/* Opening for reading; by the broker when there is one. Executing the one program, once: its descriptor closes then, and
 * no other can get its number. Limits can be read, not set. */
static void program_rules(scmp_filter_ctx filter, bool broker)
{
	const int more_than_reading = O_ACCMODE | O_CREAT | O_TRUNC;
	const struct scmp_arg_cmp reading = SCMP_A2(SCMP_CMP_MASKED_EQ, (scmp_datum_t)more_than_reading, 0);
	const struct scmp_arg_cmp once[] = { SCMP_A0(SCMP_CMP_EQ, PROGRAM),
		                             SCMP_A4(SCMP_CMP_EQ, AT_EMPTY_PATH) };
	const struct scmp_arg_cmp only_get = SCMP_A2(SCMP_CMP_EQ, 0);
	const struct scmp_arg_cmp only_socket = SCMP_A0(SCMP_CMP_EQ, FILES - 1);

	allow(filter, program_calls, sizeof program_calls / sizeof *program_calls);
	rule(filter, broker ? SCMP_ACT_NOTIFY : SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &reading);
	rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(execveat), 2, once);
	rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, &only_get);
	if (broker)
		rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, &only_socket);
}

/* --- A program ---------------------------------------------------------------------------------------------------- */

static _Noreturn void become(const struct jail *jail, const char *program, char *const argv[])
{
	static char *const envp[] = { "LC_ALL=C.UTF-8", NULL };
	int version = jail->no_landlock ? 0 : landlock_version();
	int file = open(program, O_PATH | O_CLOEXEC);
	scmp_filter_ctx filter = filter_new();

	if (file < 0)
		end(VERDICT_CANNOT_RUN, "a program of poppler-utils is missing");
	if (dup3(file, PROGRAM, O_CLOEXEC) < 0)
		end(VERDICT_CANNOT_RUN, "dup3 fails");
	close(file);
	bound(RLIMIT_NOFILE, FILES, FILES);
	if (version)
		landlock_restrict(version, program);
	program_rules(filter, !version);
	load(filter);
	if (!version)
		broker_send(seccomp_notify_fd(filter));
	syscall(SYS_execveat, PROGRAM, "", argv, envp, AT_EMPTY_PATH);
	end(VERDICT_CANNOT_RUN, "a program of poppler-utils cannot be started");
}

const char *jail_find(const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "/usr/bin/%s", name);
	if (access(path, X_OK) != 0)
		snprintf(path, sizeof path, "/usr/local/bin/%s", name);
	return path;
}

static pid_t start_program(const struct jail *jail, const char *program, char *const argv[], int out)
{
	pid_t us = getpid(), pid = fork();

	if (pid < 0)
		end(VERDICT_CANNOT_RUN, "fork fails");
	if (pid == 0) {
		die_with(us);
		dup2(out, 1);
		become(jail, program, argv);
	}
	return pid;
}

/* Without Landlock: a process that opens the program's files, and does nothing else. It ends as the program does. */
static _Noreturn void serve(const struct jail *jail, const char *program, char *const argv[], int out)
{
	int socket = broker_socket(), status;
	pid_t pid = start_program(jail, program, argv, out);
	struct pollfd asks = { broker_receive(socket), POLLIN, 0 };

	close(out);
	close(1);
	while (asks.fd >= 0) {
		if (poll(&asks, 1, -1) < 0 && errno != EINTR)
			end(VERDICT_CANNOT_RUN, "poll fails");
		if (asks.revents & POLLIN)
			broker_answer(asks.fd);
		else if (asks.revents)
			break;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		kill(getpid(), WTERMSIG(status));
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : VERDICT_DAMAGED);
}

void jail_start(const struct jail *jail, const char *program, char *const argv[], struct jailed *ret)
{
	int out[2];
	pid_t us = getpid();

	if (pipe2(out, O_CLOEXEC) < 0)
		end(VERDICT_CANNOT_RUN, "pipe fails");
	if (needs_broker(jail)) {
		ret->pid = fork();
		if (ret->pid < 0)
			end(VERDICT_CANNOT_RUN, "fork fails");
		if (ret->pid == 0) {
			die_with(us);
			close(out[0]);
			serve(jail, program, argv, out[1]);
		}
	} else {
		ret->pid = start_program(jail, program, argv, out[1]);
	}
	close(out[1]);
	ret->out = out[0];
	jail_read(jail);
}

/* --- What it says --------------------------------------------------------------------------------------------------- */

static bool pass_on(int fd, jail_sink *sink, void *arg)
{
	char bytes[64 * 1024];
	ssize_t n = read(fd, bytes, sizeof bytes);

	if (n > 0)
		sink(arg, bytes, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

void jail_finish(struct jailed *p, jail_sink *sink, void *arg, int *status)
{
	while (pass_on(p->out, sink, arg))
		;
	while (waitpid(p->pid, status, 0) < 0 && errno == EINTR)
		;
}

void jail_describe(char *text, size_t size)
{
	int version = landlock_version();
	char landlock[] = "no Landlock: files opened on its behalf";

	if (version)
		snprintf(landlock, sizeof landlock, "Landlock %d", version);
	snprintf(text, size, "an allow-list of system calls, %s, user %d", landlock, (int)geteuid());
}

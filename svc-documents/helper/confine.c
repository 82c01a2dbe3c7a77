#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "svc-documents/helper/helper.h"

static void bound(int what, rlim_t most)
{
	struct rlimit limit = { most, most };

	if (setrlimit(what, &limit) < 0)
		end(VERDICT_CANNOT_RUN, "setrlimit fails");
}

static void forbid(scmp_filter_ctx filter, int call)
{
	/* Calls that this machine does not have need not be forbidden. */
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) < 0 && call >= 0)
		end(VERDICT_CANNOT_RUN, "seccomp does not take a rule");
}

/* Opening for anything but reading. */
static void forbid_writing(scmp_filter_ctx filter, int call, unsigned flags_at)
{
	static const int modes[] = { O_WRONLY, O_RDWR };

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (seccomp_rule_add(
		        filter, SCMP_ACT_ERRNO(EACCES), call, 1,
		        SCMP_CMP(flags_at, SCMP_CMP_MASKED_EQ, O_ACCMODE, (scmp_datum_t)modes[i])) < 0)
			end(VERDICT_CANNOT_RUN, "seccomp does not take a rule");
}

static void filter_calls(void)
{
	static const int forbidden[] = {
		SCMP_SYS(socket),
		SCMP_SYS(socketpair),
		SCMP_SYS(connect),
		SCMP_SYS(bind),
		SCMP_SYS(listen),
		SCMP_SYS(accept),
		SCMP_SYS(accept4),
		SCMP_SYS(sendto),
		SCMP_SYS(sendmsg),
		SCMP_SYS(fork),
		SCMP_SYS(vfork),
		SCMP_SYS(clone),
		SCMP_SYS(clone3),
		SCMP_SYS(ptrace),
		SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev),
		SCMP_SYS(creat),
		SCMP_SYS(unlink),
		SCMP_SYS(unlinkat),
		SCMP_SYS(rename),
		SCMP_SYS(renameat),
		SCMP_SYS(renameat2),
		SCMP_SYS(mkdir),
		SCMP_SYS(mkdirat),
		SCMP_SYS(link),
		SCMP_SYS(linkat),
		SCMP_SYS(symlink),
		SCMP_SYS(symlinkat),
		SCMP_SYS(truncate),
		SCMP_SYS(chmod),
		SCMP_SYS(fchmodat),
		SCMP_SYS(chown),
		SCMP_SYS(fchownat),
		SCMP_SYS(mount),
		SCMP_SYS(unshare),
		SCMP_SYS(setns),
		SCMP_SYS(bpf),
		SCMP_SYS(io_uring_setup),
		SCMP_SYS(userfaultfd),
		SCMP_SYS(perf_event_open),
		SCMP_SYS(keyctl),
		SCMP_SYS(add_key),
		SCMP_SYS(openat2),
		SCMP_SYS(kill),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter)
		end(VERDICT_CANNOT_RUN, "seccomp fails");
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
		forbid(filter, forbidden[i]);
	forbid_writing(filter, SCMP_SYS(open), 1);
	forbid_writing(filter, SCMP_SYS(openat), 2);
	if (seccomp_load(filter) < 0)
		end(VERDICT_CANNOT_RUN, "the kernel does not take the seccomp filter");
	seccomp_release(filter);
}

void confine(int seconds)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, 9) < 0)
		end(VERDICT_CANNOT_RUN, "prctl fails");
	bound(RLIMIT_CORE, 0);
	bound(RLIMIT_CPU, (rlim_t)seconds);
	bound(RLIMIT_NOFILE, 64);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow memory counts */
	bound(RLIMIT_DATA, (rlim_t)1 << 30);
#endif
	filter_calls();
}

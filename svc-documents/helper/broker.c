/* Opens files for a jailed program where no Landlock does: seccomp hands each openat() to us, we look at the name. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "svc-documents/helper/helper.h"
#include "svc-documents/helper/jail.h"

enum { SOCKET = 60, PATH_SIZE = 512 };

/* --- The listener's way from the child to us ---------------------------------------------------------------------- */

int broker_socket(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    dup3(pair[1], SOCKET, O_CLOEXEC) < 0)
		end(VERDICT_CANNOT_RUN, "socketpair fails");
	close(pair[1]);
	return pair[0];
}

void broker_send(int listener)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof listener);
	memcpy(CMSG_DATA(c), &listener, sizeof listener);
	if (sendmsg(SOCKET, &m, 0) != 1)
		end(VERDICT_CANNOT_RUN, "the listener cannot be handed over");
}

int broker_receive(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec data = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	struct cmsghdr *c;
	int listener = -1;

	close(SOCKET); /* the child has its own, and its end shall be seen */
	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) == 1 && (c = CMSG_FIRSTHDR(&m)) &&
	    c->cmsg_type == SCM_RIGHTS)
		memcpy(&listener, CMSG_DATA(c), sizeof listener);
	close(socket);
	return listener;
}

/* --- Requests ----------------------------------------------------------------------------------------------------- */

/* The name it wants opened, from its memory: as far as that goes. By its file, since the engines of some containers forbid
 * process_vm_readv() (Docker before 23). */
static int read_path(const struct seccomp_notif *ask, char path[PATH_SIZE])
{
	char memory[32];
	ssize_t n = -1;
	int file;

	memset(path, 0, PATH_SIZE);
	snprintf(memory, sizeof memory, "/proc/%u/mem", ask->pid);
	file = open(memory, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		n = pread(file, path, PATH_SIZE - 1, (off_t)ask->data.args[1]);
		close(file);
	}
	return n > 0 && memchr(path, '\0', PATH_SIZE - 1) != NULL;
}

static int below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static int may_open(const char *path)
{
	if (strstr(path, "/../") || strstr(path, "/proc"))
		return 0;
	for (size_t i = 0; jail_readable[i]; i++)
		if (below(path, jail_readable[i]))
			return 1;
	return 0;
}

/* Ours stays closed to it; it gets a descriptor of the same file. Its number, or -errno. */
static int hand_over(int listener, const struct seccomp_notif *ask, const char *path)
{
	int flags = (int)ask->data.args[2] & (O_DIRECTORY | O_NONBLOCK | O_NOFOLLOW);
	int file = open(path, O_RDONLY | O_CLOEXEC | flags), there;
	struct seccomp_notif_addfd add = { .id = ask->id, .newfd_flags = O_CLOEXEC };

	if (file < 0)
		return -errno;
	add.srcfd = (unsigned)file;
	there = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	if (there < 0)
		there = -EACCES;
	close(file);
	return there;
}

void broker_answer(int listener)
{
	struct seccomp_notif *ask;
	struct seccomp_notif_resp *answer;
	char path[PATH_SIZE];
	int result = -EACCES;

	if (seccomp_notify_alloc(&ask, &answer) < 0)
		end(VERDICT_TOO_LARGE, "out of memory");
	if (seccomp_notify_receive(listener, ask) == 0) {
		/* Read while it waits: what it writes there meanwhile changes nothing, since we open what we have read. */
		if (read_path(ask, path) && seccomp_notify_id_valid(listener, ask->id) == 0 && may_open(path))
			result = hand_over(listener, ask, path);
		answer->id = ask->id;
		answer->val = result < 0 ? 0 : result;
		answer->error = result < 0 ? result : 0;
		(void)!seccomp_notify_respond(listener, answer); /* it may have been killed */
	}
	seccomp_notify_free(ask, answer);
}

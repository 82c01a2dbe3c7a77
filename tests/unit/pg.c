#include "tests/unit/pg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "parley-test-" /* in /tmp: user postgres can reach it, and a socket's path must be short */

static char bin[256], dir[64], url[256];
static pid_t server, maker; /* maker: the process that made dir, and so removes it */

static void die(const char *what)
{
	fprintf(stderr, "pg: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Where the newest PostgreSQL's programs are. */
static void find_programs(void)
{
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0 || found.gl_pathc == 0) {
		fprintf(stderr, "pg: no PostgreSQL in /usr/lib/postgresql; install the package postgresql\n");
		exit(1);
	}
	snprintf(bin, sizeof bin, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
}

static void become_postgres(void)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return;
	user = getpwnam("postgres");
	if (!user || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
		_exit(126);
}

static pid_t start(const char *program, char **args)
{
	pid_t parent = getpid(), child = fork();
	char path[320];
	int quiet;

	if (child != 0)
		return child;
	become_postgres();
	prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after the change of user, which clears it */
	if (getppid() != parent || chdir(dir) < 0)
		_exit(126);
	quiet = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(quiet, 1);
	dup2(quiet, 2);
	snprintf(path, sizeof path, "%s/%s", bin, program);
	args[0] = path; /* it looks for its own folder there, else in PATH */
	execv(path, args);
	_exit(127);
}

/* With the last words of PostgreSQL. */
static _Noreturn void fail(const char *what)
{
	char words[4096], path[sizeof dir + 8];
	FILE *log;
	size_t n;

	snprintf(path, sizeof path, "%s/log", dir);
	log = fopen(path, "r");
	if (log && fseek(log, -(long)sizeof words, SEEK_END) != 0)
		rewind(log);
	n = log ? fread(words, 1, sizeof words, log) : 0;
	fprintf(stderr, "pg: %s\n%.*s\n", what, (int)n, words);
	exit(1);
}

static void remove_tree(const char *path)
{
	pid_t child = fork();

	if (child == 0) {
		execlp("rm", "rm", "-rf", path, (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

/* Directories of test programs that were killed. */
static void sweep(void)
{
	DIR *tmp = opendir("/tmp");

	for (struct dirent *entry; tmp && (entry = readdir(tmp)) != NULL;) {
		char path[320];
		int pid;
		if (sscanf(entry->d_name, PREFIX "%d-", &pid) != 1 || kill(pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof path, "/tmp/%s", entry->d_name);
		remove_tree(path);
	}
	if (tmp)
		closedir(tmp);
}

static void end(void)
{
	if (getpid() != maker)
		return; /* a forked child of the test */
	pg_stop(0);
	remove_tree(dir);
}

static void make_cluster(void)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
	char data[] = "data";
	int status = -1;

	find_programs();
	sweep();
	snprintf(dir, sizeof dir, "/tmp/" PREFIX "%d-XXXXXX", (int)getpid());
	if (!mkdtemp(dir) || (user && chown(dir, user->pw_uid, user->pw_gid) < 0))
		die(dir);
	maker = getpid();
	atexit(end);
	waitpid(start("initdb", (char *[]){ NULL, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
	                                    "--locale=C.UTF-8", "--no-sync", "--no-instructions", NULL }),
	        &status, 0);
	if (status != 0)
		fail("initdb failed");
}

void pg_start(void)
{
	char sockets[96];

	snprintf(sockets, sizeof sockets, "unix_socket_directories=%s", dir);
	server =
	    start("postgres", (char *[]){ NULL, "-D", "data", "-c", sockets, "-c", "listen_addresses=", "-c",
	                                  "fsync=off", "-c", "shared_buffers=16MB", NULL });
	for (int i = 0; i < 600; i++) {
		PGconn *pg = PQconnectdb(url);
		int up = PQstatus(pg) == CONNECTION_OK;
		PQfinish(pg);
		if (up)
			return;
		if (waitpid(server, NULL, WNOHANG) == server)
			break;
		usleep(25 * 1000);
	}
	fail("the server does not start");
}

void pg_freeze(int frozen)
{
	int signal_number = frozen ? SIGSTOP : SIGCONT, child;
	char path[64];
	FILE *children;

	kill(server, signal_number);
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)server, (int)server);
	children = fopen(path, "r");
	while (children && fscanf(children, "%d", &child) == 1)
		kill(child, signal_number);
	if (children)
		fclose(children);
}

void pg_stop(int in_order)
{
	if (server <= 0)
		return;
	pg_freeze(0);
	kill(server, in_order ? SIGINT : SIGQUIT);
	waitpid(server, NULL, 0);
	server = 0;
}

void pg_private(void)
{
	make_cluster();
	snprintf(url, sizeof url, "host=%s user=postgres dbname=postgres", dir);
	pg_start();
}

const char *pg_url(void)
{
	const char *given = getenv("TEST_DATABASE_URL");

	if (!*url && given && *given)
		snprintf(url, sizeof url, "%s", given);
	if (!*url)
		pg_private();
	return url;
}

void pg_sql(const char *sql)
{
	PGconn *pg = PQconnectdb(pg_url());
	PGresult *res;

	PQclear(PQexec(pg, "SET client_min_messages = warning"));
	res = PQexec(pg, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK) {
		fprintf(stderr, "pg: %s: %s\n", sql, PQerrorMessage(pg));
		exit(1);
	}
	PQclear(res);
	PQfinish(pg);
}

void pg_schema(const char *name)
{
	char sql[256];

	snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s", name, name);
	pg_sql(sql);
}

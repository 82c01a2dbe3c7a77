#include "common/egress/egress.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A mail server of few words: it says what it is told to say to the commands that begin so. */
struct script {
	const char *greeting, *ehlo, *mail, *rcpt, *data, *end;
};

static const struct script friendly = { "220 hello", "250 hello", "250 ok",
	                                "250 ok",    "354 go on", "250 queued" };

struct server {
	struct script script;
	int listener, port;
	pthread_t thread;
	char heard[4096]; /* the mail as it came */
};

static void say(FILE *peer, const char *line)
{
	fprintf(peer, "%s\r\n", line);
	fflush(peer);
}

static void converse(struct server *s, FILE *peer)
{
	char line[1024];
	bool in_mail = false;

	if (!s->script.greeting)
		sleep(2);
	else
		say(peer, s->script.greeting);
	while (fgets(line, sizeof line, peer)) {
		if (in_mail) {
			in_mail = strcmp(line, ".\r\n") != 0;
			if (in_mail)
				strncat(s->heard, line, sizeof s->heard - strlen(s->heard) - 1);
			else if (s->script.end)
				say(peer, s->script.end);
			else
				return; /* took it, and gone */
		} else if (strncmp(line, "EHLO", 4) == 0 || strncmp(line, "HELO", 4) == 0) {
			say(peer, s->script.ehlo);
		} else if (strncmp(line, "MAIL", 4) == 0) {
			say(peer, s->script.mail);
		} else if (strncmp(line, "RCPT", 4) == 0) {
			say(peer, s->script.rcpt);
		} else if (strncmp(line, "DATA", 4) == 0) {
			in_mail = strncmp(s->script.data, "354", 3) == 0;
			say(peer, s->script.data);
		} else {
			say(peer, strncmp(line, "QUIT", 4) == 0 ? "221 bye" : "500 what?");
		}
	}
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int client = accept(s->listener, NULL, NULL);
	FILE *peer = client < 0 ? NULL : fdopen(client, "r+");

	if (peer) {
		setvbuf(peer, NULL, _IONBF, 0);
		converse(s, peer);
		fclose(peer);
	}
	return NULL;
}

static void server_start(struct server *s, struct script script)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;

	*s = (struct server){ .script = script, .listener = socket(AF_INET, SOCK_STREAM, 0) };
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(s->listener, 5), 0);
	getsockname(s->listener, (struct sockaddr *)&at, &size);
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, serve, s);
}

static void server_stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listener);
}

static int send_to(const struct server *s, bool require_tls, const char *message, int *reply,
                   struct error *err)
{
	char url[64];
	struct egress_mail mail = { .server = url,
		                    .from = "parley@example.com",
		                    .to = "somebody@example.com",
		                    .message = message,
		                    .message_size = strlen(message),
		                    .require_tls = require_tls,
		                    .timeout_ms = 700 };
	struct error bad = { 0 };
	struct egress *e;
	int sent;

	snprintf(url, sizeof url, "smtp://127.0.0.1:%d", s->port);
	assert_int_equal(egress_open("127.0.0.1", &e, &bad), 0);
	sent = egress_send_mail(e, &mail, reply, err);
	egress_close(e);
	return sent;
}

static void a_mail_arrives_as_it_was(void **state)
{
	struct error err = { 0 };
	struct server s;
	int reply = 0;

	(void)state;
	server_start(&s, friendly);
	if (send_to(&s, false, "Subject: dots\r\n\r\n.\r\n..two\r\nend\r\n", &reply, &err) < 0)
		fail_msg("%s (%s)", err.message, err.detail);
	server_stop(&s);
	assert_int_equal(reply, 250);
	assert_string_equal(s.heard, "Subject: dots\r\n\r\n..\r\n...two\r\nend\r\n"); /* RFC 5321, 4.5.2 */
}

static void what_servers_refuse(void **state)
{
	static const struct {
		const char *name;
		struct script script;
		bool require_tls;
		int want_reply; /* 0: any */
		enum error_code want;
	} cases[] = {
		{ "no such user",
		  { "220 hello", "250 hello", "250 ok", "550 nobody here", "354 go on", "250 ok" },
		  false,
		  550,
		  ERROR_UPSTREAM },
		{ "later",
		  { "220 hello", "250 hello", "250 ok", "451 greylisted", "354 go on", "250 ok" },
		  false,
		  451,
		  ERROR_UPSTREAM },
		{ "no sender",
		  { "220 hello", "250 hello", "553 not you", "250 ok", "354 go on", "250 ok" },
		  false,
		  553,
		  ERROR_UPSTREAM },
		{ "refused at the end",
		  { "220 hello", "250 hello", "250 ok", "250 ok", "354 go on", "554 spam" },
		  false,
		  554,
		  ERROR_UPSTREAM },
		{ "busy",
		  { "421 too many", "250 hello", "250 ok", "250 ok", "354 go on", "250 ok" },
		  false,
		  421,
		  ERROR_UPSTREAM },
		{ "no STARTTLS",
		  { "220 hello", "250 hello", "250 ok", "250 ok", "354 go on", "250 ok" },
		  true,
		  0,
		  ERROR_UPSTREAM },
		{ "never greets",
		  { NULL, "250 hello", "250 ok", "250 ok", "354 go on", "250 ok" },
		  false,
		  0,
		  ERROR_UPSTREAM },
		{ "gone after the mail",
		  { "220 hello", "250 hello", "250 ok", "250 ok", "354 go on", NULL },
		  false,
		  0,
		  ERROR_UNKNOWN_OUTCOME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = { 0 };
		struct server s;
		int reply = 0, sent;

		server_start(&s, cases[i].script);
		sent = send_to(&s, cases[i].require_tls, "Subject: x\r\n\r\nx\r\n", &reply, &err);
		server_stop(&s);
		if (sent != -1 || err.code != cases[i].want ||
		    (cases[i].want_reply && reply != cases[i].want_reply))
			fail_msg("%s: got %d, %s (%s; %s), reply %d", cases[i].name, sent,
			         error_name(err.code), err.message, err.detail, reply);
		if (strcmp(cases[i].name, "no STARTTLS") == 0)
			assert_string_equal(s.heard, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_arrives_as_it_was),
		cmocka_unit_test(what_servers_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

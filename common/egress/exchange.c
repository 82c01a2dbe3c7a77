#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/egress/internal.h"

enum { LOOK_MS = 200, CONNECT_MS = 10 * 1000 };

OWN_DEFINE(curlu, CURLU *, curl_url_cleanup)
OWN_DEFINE(curl_string, char *, curl_free)

/* --- The module -------------------------------------------------------------------------------------------------- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
}

int egress_open(const char *allow, struct egress **ret, struct error *err)
{
	struct egress *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	pthread_once(&curl_once, start_curl);
	pthread_mutex_init(&e->lock, NULL);
	if (egress_parse_ranges(e, allow ? allow : "", err) < 0) {
		egress_close(e);
		return -1;
	}
	*ret = e;
	return 0;
}

static void line_close(struct line *line)
{
	curl_easy_cleanup(line->easy);
	curl_multi_cleanup(line->multi);
}

void egress_close(struct egress *e)
{
	if (!e)
		return;
	loop_close(e->loop);
	while (e->kept_count > 0)
		line_close(&e->kept[--e->kept_count]);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* --- Lines ------------------------------------------------------------------------------------------------------- */

static struct line line_take(struct egress *e)
{
	struct line line = { 0 };

	pthread_mutex_lock(&e->lock);
	if (e->kept_count > 0)
		line = e->kept[--e->kept_count];
	pthread_mutex_unlock(&e->lock);
	if (!line.easy) {
		line.easy = curl_easy_init();
		line.multi = curl_multi_init();
		if (!line.easy || !line.multi)
			abort();
	}
	return line;
}

static void line_give_back(struct egress *e, struct line line)
{
	pthread_mutex_lock(&e->lock);
	if (e->kept_count < EGRESS_KEPT) {
		e->kept[e->kept_count++] = line;
		line.easy = NULL;
	}
	pthread_mutex_unlock(&e->lock);
	if (line.easy)
		line_close(&line);
}

/* --- An exchange ------------------------------------------------------------------------------------------------- */

/* The moment of truth: libcurl is about to connect to this very address, whatever the URL or the DNS said. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *x = arg;
	char port[NI_MAXSERV];

	(void)purpose;
	if (!egress_allows(x->egress, &address->addr)) {
		x->refused = true;
		getnameinfo(&address->addr, address->addrlen, x->refused_address, sizeof x->refused_address,
		            port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
		return CURL_SOCKET_BAD;
	}
	x->opened = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* In "http,https", whole words count. */
static bool is_listed(const char *protocols, const char *scheme)
{
	size_t length = strlen(scheme);

	for (const char *at = protocols; *at; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, scheme, length) == 0 && strchr(",", at[length]))
			return true;
	return false;
}

/* As far as there is room. false: it is no text, which libcurl takes; who is told of it, and the database, do not. */
static bool copy_host(const char *host, char *ret, size_t room)
{
	size_t length = strlen(host);

	if (!length || !utf8_valid(host, length))
		return false;
	snprintf(ret, room, "%.*s", (int)utf8_clip(host, length, room - 1), host);
	return true;
}

/* The URL as libcurl itself will read it: a scheme that is one of ours, a host, no credentials. */
static int check_url(struct exchange *x, const char *url, const char *protocols, struct error *err)
{
	OWN(curlu) CURLU *parsed = curl_url();
	OWN(curl_string) char *scheme = NULL;
	OWN(curl_string) char *host = NULL;
	OWN(curl_string) char *user = NULL;

	for (const char *c = url; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return error_set(err, ERROR_INVALID, "the URL has a blank or a control character");
	}
	if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return error_set(err, ERROR_INVALID, "this is not a URL");
	if (!is_listed(protocols, scheme))
		return error_set(err, ERROR_INVALID, "the URL must begin with %s://",
		                 strncmp(protocols, "http", 4) ? "smtp" : "http(s)");
	if (curl_url_get(parsed, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
		return error_set(err, ERROR_INVALID, "the URL must not hold a name or a password");
	if (curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    !copy_host(host, x->host, sizeof x->host))
		return error_set(err, ERROR_INVALID, "the URL has no host");
	return 0;
}

int egress_judge(const struct egress *e, const char *url, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct exchange x = { 0 };
	struct addrinfo *found = NULL;
	bool refused = false;
	size_t length;
	char *host = x.host;

	if (check_url(&x, url, "http,https", err) < 0)
		return -1;
	length = strlen(host);
	if (*host == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		host++;
	}
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return 0; /* it may be there when it is needed */
	for (const struct addrinfo *at = found; at; at = at->ai_next)
		refused |= !egress_allows(e, at->ai_addr);
	freeaddrinfo(found);
	return refused ? error_set(err, ERROR_INVALID, "addresses within private networks are refused") : 0;
}

int exchange_set(struct exchange *x, struct egress *e, CURL *easy, const char *url, const char *protocols,
                 struct error *err)
{
	*x = (struct exchange){ .egress = e, .line = { .easy = easy }, .last_heard = clock_mono_ms() };
	if (check_url(x, url, protocols, err) < 0)
		return -1;
	if (!easy)
		easy = (x->line = line_take(e)).easy;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L); /* after a redirect too */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs does not hold us up */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	return 0;
}

int exchange_open(struct exchange *x, struct egress *e, const char *url, const char *protocols,
                  struct error *err)
{
	return exchange_set(x, e, NULL, url, protocols, err);
}

void exchange_close(struct exchange *x)
{
	if (!x->line.easy)
		return;
	curl_easy_setopt(x->line.easy, CURLOPT_COOKIEFILE, NULL); /* which the next line forgets to free */
	curl_easy_reset(x->line.easy);
	line_give_back(x->egress, x->line);
	x->line = (struct line){ 0 };
}

static int64_t deadline_of(const struct exchange *x)
{
	return x->deadline && x->more_ms ? x->deadline + atomic_load(x->more_ms) - x->more_from : x->deadline;
}

bool exchange_ended_by_us(struct exchange *x, int64_t now)
{
	if (x->cancelled && atomic_load(x->cancelled))
		x->ended = ENDED_BY_CANCEL;
	else if (x->end_by && *x->end_by && now >= *x->end_by)
		x->ended = ENDED_BY_END;
	else if ((x->deadline && now >= deadline_of(x)) || (x->idle_ms && now - x->last_heard >= x->idle_ms))
		x->ended = ENDED_BY_TIME;
	return x->ended != ENDED_BY_PEER;
}

static int patience(const struct exchange *x)
{
	int64_t end = x->end_by && *x->end_by ? *x->end_by : deadline_of(x);
	int64_t left = end ? end - clock_mono_ms() : LOOK_MS;

	return left < 0 ? 0 : left < LOOK_MS ? (int)left : LOOK_MS;
}

CURLcode exchange_run(struct exchange *x)
{
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	int running = 1, queued;

	curl_multi_add_handle(x->line.multi, x->line.easy);
	while (curl_multi_perform(x->line.multi, &running) == CURLM_OK && running &&
	       !exchange_ended_by_us(x, clock_mono_ms()))
		curl_multi_poll(x->line.multi, NULL, 0, patience(x), NULL);
	for (CURLMsg *msg; (msg = curl_multi_info_read(x->line.multi, &queued)) != NULL;) {
		if (msg->msg == CURLMSG_DONE)
			code = msg->data.result;
	}
	curl_multi_remove_handle(x->line.multi, x->line.easy);
	return code;
}

static const struct {
	CURLcode code;
	enum error_code error;
	const char *sentence; /* of the host */
	bool redirects;       /* of the one that was asked, wherever it led */
} meanings[] = {
	{ CURLE_URL_MALFORMAT, ERROR_INVALID, "%s: this is not a URL" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERROR_INVALID,
	  "%s: redirects to an address that is neither http nor https", true },
	{ CURLE_LOGIN_DENIED, ERROR_INVALID, "%s: refuses the login" },
	{ CURLE_COULDNT_RESOLVE_HOST, ERROR_UPSTREAM, "%s: there is no such host" },
	{ CURLE_COULDNT_CONNECT, ERROR_UPSTREAM, "%s does not answer" },
	{ CURLE_OPERATION_TIMEDOUT, ERROR_UPSTREAM, "%s does not answer in time" },
	{ CURLE_TOO_MANY_REDIRECTS, ERROR_UPSTREAM, "%s redirects too often", true },
	{ CURLE_PEER_FAILED_VERIFICATION, ERROR_UPSTREAM, "%s has no valid certificate" },
	{ CURLE_SSL_CONNECT_ERROR, ERROR_UPSTREAM, "%s: no TLS connection" },
	{ CURLE_BAD_CONTENT_ENCODING, ERROR_UPSTREAM, "%s sends an answer that cannot be unpacked" },
};

/* Where a redirect has led, in host; else who was asked. */
static const char *last_host(const struct exchange *x, char host[sizeof x->host])
{
	OWN(curlu) CURLU *parsed = curl_url();
	OWN(curl_string) char *last = NULL;
	const char *url = NULL;

	if (curl_easy_getinfo(x->line.easy, CURLINFO_EFFECTIVE_URL, &url) != CURLE_OK || !url ||
	    curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_HOST, &last, 0) != CURLUE_OK ||
	    !copy_host(last, host, sizeof x->host))
		return x->host;
	return host;
}

int exchange_failed(const struct exchange *x, CURLcode code, struct error *err)
{
	char room[sizeof x->host];
	const char *host = last_host(x, room);
	long sent = 0;

	curl_easy_getinfo(x->line.easy, CURLINFO_REQUEST_SIZE, &sent);
	if (x->ended == ENDED_BY_CANCEL)
		return error_set(err, ERROR_UNAVAILABLE, "cancelled");
	if (x->refused && !x->opened) {
		error_set(err, ERROR_INVALID,
		          "%s has no public address; an operator can allow the one it has in EGRESS_ALLOW",
		          host);
		error_detail(err, "%s is at %s", host, x->refused_address); /* not for the caller */
		return -1;
	}
	if (x->ended == ENDED_BY_TIME)
		return error_set(err, sent ? ERROR_UNKNOWN_OUTCOME : ERROR_UPSTREAM,
		                 "%s does not answer in time", host);
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (meanings[i].code == code)
			error_set(err, meanings[i].error, meanings[i].sentence,
			          meanings[i].redirects ? x->host : host);
	}
	error_set(err, ERROR_UPSTREAM, "%s broke the connection off", host); /* unless one above said more */
	error_detail(err, "libcurl %d: %s", (int)code, curl_easy_strerror(code));
	return -1;
}

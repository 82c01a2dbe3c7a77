#include "common/egress.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/egress_internal.h"
#include "common/own.h"
#include "common/text.h"

enum {
	DEFAULT_CONNECT_MS = 10000,
	DEFAULT_MAX_BYTES = 64 << 20,
	MAX_HEADERS = 200,
	MAX_HEADER_BYTES = 256 << 10
};

OWN_DEFINE(curlu, CURLU *, curl_url_cleanup)
OWN_DEFINE(slist, struct curl_slist *, curl_slist_free_all)

static void curl_once(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort(); /* no memory */
}

int egress_open(const char *allow, struct egress **ret, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct egress *e = calloc(1, sizeof *e);

	if (!e)
		abort();
	pthread_once(&once, curl_once);
	pthread_mutex_init(&e->lock, NULL);
	if (egress_parse_allow(e, allow ? allow : "", err) < 0) {
		egress_close(e);
		return -1;
	}
	*ret = e;
	return 0;
}

void egress_close(struct egress *e)
{
	if (!e)
		return;
	for (int i = 0; i < e->idle_count; i++)
		curl_easy_cleanup(e->idle[i]);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* --- Handles -------------------------------------------------------------------------------------------------- */

/* Called by libcurl with the very address that it is about to connect to: after DNS, on every redirect. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct egress_gate *gate = arg;
	const struct sockaddr *to = &address->addr;
	const void *raw = to->sa_family == AF_INET
	                      ? (const void *)&((const struct sockaddr_in *)(const void *)to)->sin_addr
	                      : (const void *)&((const struct sockaddr_in6 *)(const void *)to)->sin6_addr;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!egress_allows(gate->egress, to)) {
		inet_ntop(to->sa_family, raw, gate->refused, sizeof gate->refused);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURL *egress_take(struct egress *e, struct egress_gate *gate, const char *protocols)
{
	CURL *handle = NULL;

	pthread_mutex_lock(&e->lock);
	if (e->idle_count)
		handle = e->idle[--e->idle_count];
	pthread_mutex_unlock(&e->lock);
	if (!handle && !(handle = curl_easy_init()))
		abort();
	*gate = (struct egress_gate){ .egress = e };
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_PROXY, "");
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, gate);
	curl_easy_setopt(handle, CURLOPT_USERAGENT, "Parley/1.0");
	return handle;
}

/* Its connections stay open for the next transfer to the same host; they were judged when they were made. */
void egress_give(struct egress *e, CURL *handle)
{
	curl_easy_reset(handle);
	pthread_mutex_lock(&e->lock);
	if (e->idle_count < EGRESS_IDLE) {
		e->idle[e->idle_count++] = handle;
		handle = NULL;
	}
	pthread_mutex_unlock(&e->lock);
	if (handle)
		curl_easy_cleanup(handle);
}

int egress_failed(CURLcode code, const struct egress_gate *gate, const char *what, struct error *err)
{
	if (gate->refused[0] && (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT))
		return error_set(
		    err, ERROR_INVALID,
		    "%s is at %s, an address that is not public; an operator can list it in EGRESS_ALLOW",
		    what, gate->refused);
	switch (code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_LOGIN_DENIED:
		return error_set(err, code == CURLE_LOGIN_DENIED ? ERROR_UPSTREAM : ERROR_INVALID, "%s: %s",
		                 what, curl_easy_strerror(code));
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(err, ERROR_UNKNOWN_OUTCOME, "%s did not answer in time", what);
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_set(err, ERROR_UPSTREAM, "%s: the name cannot be resolved", what);
	default:
		error_set(err, ERROR_UPSTREAM, "%s could not be reached: %s", what, curl_easy_strerror(code));
		return -1;
	}
}

/* --- One exchange ---------------------------------------------------------------------------------------------- */

struct transfer {
	const struct egress_request *req;
	struct egress_response *response;
	struct arena *arena;
	CURL *handle;
	struct text body;
	size_t received, header_bytes, header_room;
	int64_t last_data_ms;
	bool told_headers, too_large, stopped, idle, cancelled;
};

static size_t on_header(char *line, size_t one, size_t length, void *arg)
{
	struct transfer *t = arg;
	struct egress_response *r = t->response;
	const char *colon = memchr(line, ':', length);
	size_t end = length;

	(void)one;
	t->header_bytes += length;
	if (length > 5 && memcmp(line, "HTTP/", 5) == 0) { /* another answer: after a redirect, or a 100 */
		r->header_count = 0;
		return length;
	}
	if (t->header_bytes > MAX_HEADER_BYTES || r->header_count == MAX_HEADERS) {
		t->too_large = true;
		return 0;
	}
	if (!colon)
		return length;
	if (!r->headers)
		r->headers = arena_new(t->arena, struct egress_header, MAX_HEADERS);
	while (end && strchr("\r\n \t", line[end - 1]))
		end--;
	for (colon++; colon < line + end && (*colon == ' ' || *colon == '\t');)
		colon++;
	struct egress_header *h = &r->headers[r->header_count++];
	char *name = arena_strndup(t->arena, line, strcspn(line, ":"));
	for (char *c = name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	h->name = name;
	h->value = colon < line + end ? arena_strndup(t->arena, colon, (size_t)(line + end - colon)) : "";
	return length;
}

/* Before the first byte of the final body (or at the end of an empty one). */
static int tell_headers(struct transfer *t)
{
	long status = 0;

	if (t->told_headers)
		return 0;
	t->told_headers = true;
	curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
	t->response->status = (int)status;
	return t->req->on_headers ? t->req->on_headers(t->req->arg, (int)status) : 0;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;
	size_t most = t->req->max_bytes ? t->req->max_bytes : DEFAULT_MAX_BYTES;

	(void)one;
	t->last_data_ms = clock_mono_ms();
	if (size > most - t->received) {
		t->too_large = true;
		return 0;
	}
	t->received += size;
	if (tell_headers(t) != 0) {
		t->stopped = true;
		return 0;
	}
	if (!t->req->on_data) {
		text_add(&t->body, bytes, size);
	} else if (t->req->on_data(t->req->arg, bytes, size) != 0) {
		t->stopped = true;
		return 0;
	}
	return size;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct transfer *t = arg;

	(void)a, (void)b, (void)c, (void)d;
	t->cancelled = t->req->cancelled && atomic_load(t->req->cancelled);
	t->idle = t->req->idle_ms && clock_mono_ms() - t->last_data_ms > t->req->idle_ms;
	return t->cancelled || t->idle;
}

static int check_url(const char *url, char **host, struct arena *a, struct error *err)
{
	OWN(curlu) CURLU *parsed = curl_url();
	char *scheme = NULL, *name = NULL, *user = NULL;
	int fine;

	if (!parsed)
		abort();
	if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return error_set(err, ERROR_INVALID, "that is not a URL");
	fine = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
	curl_free(scheme);
	if (!fine)
		return error_set(err, ERROR_INVALID, "only http and https URLs can be fetched");
	if (curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_OK) {
		curl_free(user);
		return error_set(err, ERROR_INVALID, "a URL with a user name in it is refused");
	}
	if (curl_url_get(parsed, CURLUPART_HOST, &name, 0) != CURLUE_OK)
		return error_set(err, ERROR_INVALID, "that URL names no host");
	*host = arena_strdup(a, name);
	curl_free(name);
	return 0;
}

static int set_headers(CURL *handle, const struct egress_request *req, struct curl_slist **ret,
                       struct error *err)
{
	static const char *const none[] = { NULL };

	for (const char *const *h = req->headers ? req->headers : none; *h; h++) {
		struct curl_slist *longer;

		if (strpbrk(*h, "\r\n"))
			return error_set(err, ERROR_INVALID, "a header with a line end in it is refused");
		longer = curl_slist_append(*ret, *h);
		if (!longer)
			abort();
		*ret = longer;
	}
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, *ret);
	return 0;
}

static void set_request(CURL *handle, const struct egress_request *req)
{
	if (req->body) {
		curl_easy_setopt(handle, CURLOPT_POSTFIELDS, req->body);
		curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_size);
	}
	if (strcmp(req->method, "HEAD") == 0)
		curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
	else if (strcmp(req->method, req->body ? "POST" : "GET") != 0)
		curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, req->method);
	curl_easy_setopt(handle, CURLOPT_URL, req->url);
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, req->max_redirects ? 1L : 0L);
	curl_easy_setopt(handle, CURLOPT_MAXREDIRS, (long)req->max_redirects);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
	                 (long)(req->connect_timeout_ms ? req->connect_timeout_ms : DEFAULT_CONNECT_MS));
	if (!req->on_data)
		curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, ""); /* all that libcurl knows */
}

static void set_callbacks(CURL *handle, struct transfer *t)
{
	curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(handle, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(handle, CURLOPT_XFERINFODATA, t);
}

/* What came of it. */
static int finish(struct transfer *t, CURLcode code, const struct egress_gate *gate, const char *host,
                  struct error *err)
{
	const char *where = NULL;

	if (t->too_large)
		return error_set(err, ERROR_TOO_LARGE, "the answer of %s is too large", host);
	if (t->cancelled)
		return error_busy(err, 1, "the request to %s was cancelled", host);
	if (t->idle)
		return error_set(err, ERROR_UNKNOWN_OUTCOME, "%s stopped answering", host);
	if (code != CURLE_OK && !t->stopped)
		return egress_failed(code, gate, host, err);
	(void)tell_headers(t);
	curl_easy_getinfo(t->handle, CURLINFO_EFFECTIVE_URL, &where);
	t->response->url = arena_strdup(t->arena, where);
	t->response->body = t->body.at;
	t->response->body_size = t->body.length;
	return 0;
}

int egress_fetch(struct egress *e, const struct egress_request *req, struct egress_response *ret,
                 struct arena *a, struct error *err)
{
	OWN(slist) struct curl_slist *headers = NULL;
	struct transfer t = { .req = req, .response = ret, .arena = a, .last_data_ms = clock_mono_ms() };
	struct egress_gate gate;
	char *host = NULL;
	int result;

	*ret = (struct egress_response){ 0 };
	if (check_url(req->url, &host, a, err) < 0)
		return -1;
	text_init(&t.body, a);
	t.handle = egress_take(e, &gate, "http,https");
	result = set_headers(t.handle, req, &headers, err);
	if (result == 0) {
		set_request(t.handle, req);
		set_callbacks(t.handle, &t);
		result = finish(&t, curl_easy_perform(t.handle), &gate, host, err);
	}
	egress_give(e, t.handle);
	return result;
}

const char *egress_header(const struct egress_response *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

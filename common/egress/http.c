#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/egress/internal.h"

enum {
	MAX_BYTES = 16 * 1024 * 1024,
	MAX_HEADERS = 256,
	MAX_HEADER_BYTES = 256 * 1024,
	RECENT_SECONDS = 3, /* what a connection may have been idle for a request that is for once */
	IDLE_SECONDS = 118, /* for others */
};

OWN_DEFINE(slist, struct curl_slist *, curl_slist_free_all)

/* --- What comes in ----------------------------------------------------------------------------------------------- */

/* 1 when the caller has had enough. */
static int tell_headers(struct fetch *f)
{
	if (f->told)
		return f->satisfied;
	f->told = true;
	f->satisfied = f->req->on_headers && f->req->on_headers(f->req->arg, f->ret->status) != 0;
	return f->satisfied;
}

/* "HTTP/1.1 200 OK": a new answer begins; what an interim one or a redirect said is forgotten. */
static void begin_answer(struct fetch *f, const char *line, size_t length)
{
	const char *blank = memchr(line, ' ', length);

	f->ret->status =
	    blank ? (int)strtol(blank + 1, NULL, 10) : 0; /* libcurl has checked the line, and ends it */
	f->ret->header_count = 0;
	f->x.refused = f->x.opened = false; /* this hop was let through */
}

static void more_headers(struct fetch *f)
{
	struct egress_header *more;

	f->header_room = f->header_room ? 2 * f->header_room : 16;
	more = arena_new(f->arena, struct egress_header, f->header_room);
	if (f->ret->header_count)
		memcpy(more, f->ret->headers, f->ret->header_count * sizeof *more);
	f->ret->headers = more;
}

static int add_header(struct fetch *f, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length), *value, *end = line + length;
	char *name;

	if (!colon)
		return 0;
	if (f->ret->header_count == MAX_HEADERS)
		return -1;
	if (f->ret->header_count == f->header_room)
		more_headers(f);
	name = arena_strndup(f->arena, line, (size_t)(colon - line));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && strchr(" \t\r\n", end[-1]))
		end--;
	f->ret->headers[f->ret->header_count++] =
	    (struct egress_header){ name, arena_strndup(f->arena, value, (size_t)(end - value)) };
	return 0;
}

/* A redirect that libcurl is about to follow is not the answer. */
static bool is_final(const struct fetch *f)
{
	int status = f->ret->status;

	return status >= 200 && !(f->req->max_redirects > 0 && status >= 300 && status < 400);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;
	size_t length = size * count;

	f->x.last_heard = clock_mono_ms();
	f->header_bytes += length;
	if (f->header_bytes > MAX_HEADER_BYTES)
		f->too_large = true;
	else if (f->told)
		return length; /* a trailer; whoever was told of the answer may be reading what it is */
	else if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
		begin_answer(f, line, length);
	else if (length > 2)
		f->too_large = add_header(f, line, length) < 0;
	else if (is_final(f) && tell_headers(f))
		return CURL_WRITEFUNC_ERROR;
	return f->too_large ? CURL_WRITEFUNC_ERROR : length;
}

/* Inflated bytes: what counts is what arrives here, not what was declared. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;
	size_t length = size * count;

	f->x.last_heard = clock_mono_ms();
	if (f->is_full && f->is_full(f->req->arg))
		return CURL_WRITEFUNC_PAUSE;
	if (tell_headers(f))
		return CURL_WRITEFUNC_ERROR;
	f->received += length;
	if (f->received > f->max_bytes) {
		f->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (!f->req->on_data)
		text_add(&f->body, bytes, length);
	else if (f->req->on_data(f->req->arg, bytes, length) != 0)
		f->satisfied = true;
	return f->satisfied ? CURL_WRITEFUNC_ERROR : length;
}

/* --- What goes out ----------------------------------------------------------------------------------------------- */

static int is_token(const char *text)
{
	return *text &&
	       text[strspn(
	           text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")] ==
	           '\0';
}

/* "Name: value" with a token for a name and nothing in the value that could begin another header. */
static int check_header(const char *header)
{
	const char *colon = strchr(header, ':');
	char name[128];

	if (!colon || (size_t)(colon - header) >= sizeof name)
		return -1;
	memcpy(name, header, (size_t)(colon - header));
	name[colon - header] = '\0';
	if (!is_token(name))
		return -1;
	for (const char *c = colon + 1; *c; c++) {
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return -1;
	}
	return 0;
}

static int make_headers(const struct egress_request *req, struct curl_slist **ret, struct error *err)
{
	static const char *const ours[] = { "Expect:", "Content-Type:" }; /* not what libcurl would make up */
	bool typed = false;

	for (const char *const *header = req->headers; header && *header; header++) {
		if (check_header(*header) < 0)
			return error_set(err, ERROR_INVALID,
			                 "a header must be one line of the form 'Name: value'");
		typed = typed || strncasecmp(*header, "Content-Type:", 13) == 0;
		*ret = curl_slist_append(*ret, *header);
	}
	*ret = curl_slist_append(*ret, ours[0]);
	if (!typed)
		*ret = curl_slist_append(*ret, ours[1]);
	return 0;
}

/* A body that is given piece by piece, and that nobody can wind back, is never sent a second time. */
static size_t give_body(char *to, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;
	size_t n = f->req->body_size - f->sent;

	n = n < size * count ? n : size * count;
	if (n)
		memcpy(to, (const char *)f->req->body + f->sent, n);
	f->sent += n;
	return n;
}

static void set_body(struct fetch *f)
{
	CURL *easy = f->x.line.easy;

	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->req->body_size);
	if (!f->req->once || !f->req->body_size) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, f->req->body ? f->req->body : "");
		return;
	}
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(easy, CURLOPT_READDATA, f);
}

static void set_request(struct fetch *f, const struct curl_slist *headers)
{
	const struct egress_request *req = f->req;
	CURL *easy = f->x.line.easy;
	bool body = req->body_size > 0 || strcmp(req->method, "POST") == 0 ||
	            strcmp(req->method, "PUT") == 0 || strcmp(req->method, "PATCH") == 0;

	if (body)
		set_body(f);
	if (strcmp(req->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (body || strcmp(req->method, "GET") != 0)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Parley");
	/* A stream should come as it is, since unpacking holds pieces back; but some send it packed all the same. */
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, req->on_data ? "identity" : "");
	curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, req->sign);
	curl_easy_setopt(easy, CURLOPT_USERPWD, req->sign ? req->sign_key : NULL);
	if (req->connect_timeout_ms)
		curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)req->connect_timeout_ms);
}

static void set_redirects(const struct fetch *f)
{
	CURL *easy = f->x.line.easy;

	/* Servers end what is idle after five seconds or more (Node's five are the fewest that are known). */
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, f->req->once ? (long)RECENT_SECONDS : (long)IDLE_SECONDS);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, f->req->max_redirects > 0 ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)f->req->max_redirects);
	/* Cookies are kept from one redirect to the next, and no longer. */
	curl_easy_setopt(easy, CURLOPT_COOKIEFILE, f->req->max_redirects > 0 ? "" : NULL);
	curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL");
	/* from https there is no way back to http */
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
	                 strncasecmp(f->req->url, "https:", 6) == 0 ? "https" : "http,https");
}

static void set_callbacks(struct fetch *f)
{
	CURL *easy = f->x.line.easy;

	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
}

/* --- All of it --------------------------------------------------------------------------------------------------- */

int fetch_conclude(struct fetch *f, CURLcode code, struct error *err)
{
	const char *url = NULL;

	if (code == CURLE_OK && !f->told)
		tell_headers(f); /* a redirect without a Location */
	if (f->too_large)
		return error_set(err, ERROR_TOO_LARGE, "the answer of %s is too large", f->x.host);
	if (code != CURLE_OK && !f->satisfied && f->x.ended != ENDED_BY_END)
		return exchange_failed(&f->x, code, err);
	curl_easy_getinfo(f->x.line.easy, CURLINFO_EFFECTIVE_URL, &url);
	f->ret->url = arena_strdup(f->arena, url);
	f->ret->body = f->body.at;
	f->ret->body_size = f->body.length;
	return 0;
}

int fetch_open(struct fetch *f, struct egress *e, const struct egress_request *req,
               struct egress_response *ret, CURL *easy, struct arena *a, struct error *err)
{
	OWN(slist) struct curl_slist *headers = NULL;

	assert(req->max_redirects == 0 || strcmp(req->method, "GET") == 0 ||
	       strcmp(req->method, "HEAD") == 0);
	*f = (struct fetch){
		.req = req, .ret = ret, .arena = a, .max_bytes = req->max_bytes ? req->max_bytes : MAX_BYTES
	};
	*ret = (struct egress_response){ 0 };
	text_init(&f->body, a);
	if (!is_token(req->method))
		return error_set(err, ERROR_INVALID, "this is not an HTTP method");
	if (make_headers(req, &headers, err) < 0 ||
	    exchange_set(&f->x, e, easy, req->url, "http,https", err) < 0)
		return -1;
	f->headers = TAKE(headers);
	f->x.deadline = req->timeout_ms ? clock_mono_ms() + req->timeout_ms : 0;
	f->x.idle_ms = req->idle_ms;
	f->x.cancelled = req->cancelled;
	f->x.more_ms = req->more_ms;
	f->x.more_from = req->more_ms ? atomic_load(req->more_ms) : 0;
	set_request(f, f->headers);
	set_redirects(f);
	set_callbacks(f);
	return 0;
}

int egress_fetch(struct egress *e, const struct egress_request *req, struct egress_response *ret,
                 struct arena *a, struct error *err)
{
	struct fetch f;
	int done;

	if (fetch_open(&f, e, req, ret, NULL, a, err) < 0)
		return -1;
	done = fetch_conclude(&f, exchange_run(&f.x), err);
	exchange_close(&f.x);
	curl_slist_free_all(f.headers);
	return done;
}

const char *egress_header(const struct egress_response *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (strcmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	}
	return NULL;
}

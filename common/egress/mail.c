#include <string.h>

#include "common/base/clock.h"
#include "common/egress/internal.h"

OWN_DEFINE(slist, struct curl_slist *, curl_slist_free_all)

/* The part of a message that has not been sent yet. */
struct unsent {
	const char *at;
	size_t left;
	struct exchange *x;
};

static size_t next_piece(char *room, size_t size, size_t count, void *arg)
{
	struct unsent *u = arg;
	size_t length = size * count < u->left ? size * count : u->left;

	memcpy(room, u->at, length);
	u->at += length;
	u->left -= length;
	u->x->last_heard = clock_mono_ms();
	return length;
}

static size_t ignore_words(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * count;
}

/* What stands between < and > in MAIL FROM and RCPT TO. */
static int check_address(const char *address, struct error *err)
{
	for (const char *c = address; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '<' || *c == '>')
			return error_set(err, ERROR_INVALID, "this is not a mail address");
	}
	return strchr(address, '@') ? 0 : error_set(err, ERROR_INVALID, "this is not a mail address");
}

static void set_mail(CURL *easy, const struct egress_mail *mail, const struct curl_slist *to,
                     struct unsent *unsent)
{
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message_size);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, next_piece);
	curl_easy_setopt(easy, CURLOPT_READDATA, unsent);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_words);
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
	                 mail->require_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
	if (mail->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, mail->ca_file);
	if (mail->user) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password ? mail->password : "");
	}
}

/* The server's own no (a reply of 4xx or 5xx) says more than libcurl's code for it. */
static int conclude(const struct exchange *x, const struct unsent *unsent, CURLcode code, long reply,
                    struct error *err)
{
	if (code == CURLE_OK)
		return 0;
	if (x->ended == ENDED_BY_PEER && reply >= 400)
		return error_set(err, ERROR_UPSTREAM, "the mail server answers %ld", reply);
	if (x->ended == ENDED_BY_PEER && unsent->left == 0)
		return error_set(err, ERROR_UNKNOWN_OUTCOME,
		                 "the mail server took the mail and said nothing");
	return exchange_failed(x, code, err);
}

int egress_send_mail(struct egress *e, const struct egress_mail *mail, int *reply_code, struct error *err)
{
	OWN(slist) struct curl_slist *to = NULL;
	struct exchange x;
	struct unsent unsent = { mail->message, mail->message_size, &x };
	long reply = 0;
	CURLcode code;
	int done;

	if (check_address(mail->from, err) < 0 || check_address(mail->to, err) < 0 ||
	    exchange_open(&x, e, mail->server, "smtp,smtps", err) < 0)
		return -1;
	x.deadline = clock_mono_ms() + (mail->timeout_ms ? mail->timeout_ms : 60 * 1000);
	to = curl_slist_append(to, mail->to);
	set_mail(x.line.easy, mail, to, &unsent);
	code = exchange_run(&x);
	curl_easy_getinfo(x.line.easy, CURLINFO_RESPONSE_CODE, &reply);
	if (reply_code)
		*reply_code = (int)reply;
	done = conclude(&x, &unsent, code, reply, err);
	exchange_close(&x);
	return done;
}

#include <string.h>

#include "common/egress_internal.h"
#include "common/own.h"

OWN_DEFINE(recipients, struct curl_slist *, curl_slist_free_all)

struct reading {
	const char *at;
	size_t left;
};

static size_t on_read(char *to, size_t one, size_t room, void *arg)
{
	struct reading *r = arg;
	size_t size = room * one < r->left ? room * one : r->left;

	memcpy(to, r->at, size);
	r->at += size;
	r->left -= size;
	return size;
}

static size_t ignore(char *bytes, size_t one, size_t size, void *arg)
{
	(void)bytes, (void)arg;
	return one * size;
}

/* An address goes into a protocol line: nothing that ends or leaves it. */
static int plain(const char *address)
{
	for (const char *c = address; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '<' || *c == '>' || *c == 0x7f)
			return 0;
	return address[0] != '\0';
}

static void set_mail(CURL *handle, const struct egress_mail *mail, struct reading *reading,
                     struct curl_slist *recipients)
{
	curl_easy_setopt(handle, CURLOPT_URL, mail->server);
	curl_easy_setopt(handle, CURLOPT_MAIL_FROM, mail->from);
	curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(handle, CURLOPT_READDATA, reading);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message_size);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)(mail->timeout_ms ? mail->timeout_ms : 30000));
	curl_easy_setopt(handle, CURLOPT_USE_SSL,
	                 (long)(mail->require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	if (mail->ca_file)
		curl_easy_setopt(handle, CURLOPT_CAINFO, mail->ca_file);
	if (mail->user) {
		curl_easy_setopt(handle, CURLOPT_USERNAME, mail->user);
		curl_easy_setopt(handle, CURLOPT_PASSWORD, mail->password ? mail->password : "");
	}
}

int egress_send_mail(struct egress *e, const struct egress_mail *mail, int *reply_code, struct error *err)
{
	OWN(recipients) struct curl_slist *recipients = NULL;
	struct reading reading = { mail->message, mail->message_size };
	struct egress_gate gate;
	long reply = 0;
	CURLcode code;
	CURL *handle;

	if (!plain(mail->from) || !plain(mail->to))
		return error_set(err, ERROR_INVALID, "that is not an address that mail can be sent to");
	recipients = curl_slist_append(NULL, mail->to);
	handle = egress_take(e, &gate, "smtp,smtps");
	set_mail(handle, mail, &reading, recipients);
	code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply);
	egress_give(e, handle);
	if (reply_code)
		*reply_code = (int)reply;
	if (code == CURLE_OK)
		return 0;
	if (reply >= 400)
		return error_set(err, ERROR_UPSTREAM, "the mail server refused the mail with code %ld",
		                 reply);
	return egress_failed(code, &gate, "the mail server", err);
}

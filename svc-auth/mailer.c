/* The jobs of svc-auth: mailing codes and links, and sweeping away what has expired. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth.methods.h"
#include "common/base/client.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/json/format.h"
#include "common/json/json.h"
#include "svc-auth/auth.h"
#include "svc-auth/letters.h"
#include "svc-auth/mail.h"
#include "svc-auth/proof.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/store_providers.h"

enum { SWEEP_SECONDS = 3600, SEND_MS = 30000 };

static const struct throttle codes = { "code-mail", 10, 86400, 60 };
static const struct throttle links = { "link-mail", 10, 86400, 60 };
static const struct throttle of_users = { "mail-of-user", 100, 86400, 0 };
/* An account may be made and deleted, and made again. */
static const struct throttle confirms = { "confirm-mail", 10, 86400, 0 };
static const struct throttle confirms_from = { "confirm-mail-from", 60, 3600,
	                                       0 }; /* asked for by one client */

/* --- Asking ------------------------------------------------------------------------------------------------------ */

static int add(struct call *call, const char *kind, const char *email)
{
	struct text payload;

	text_init(&payload, call->arena);
	text_adds(&payload, "{\"email\":");
	text_add_json(&payload, email, strlen(email));
	text_addf(&payload, ",\"asked\":%lld}", (long long)(clock_unix_ms() / 1000));
	return job_add(call->db, kind, NULL, NULL, payload.at, 0, call->err);
}

static int ask(struct call *call, const char *kind, const struct throttle *limit, const char *email)
{
	int allowed = throttle_take(call->db, limit, email, call->arena, call->err);

	if (allowed <= 0)
		return allowed; /* the one of a minute ago is on its way: nothing to say */
	return add(call, kind, email);
}

/* Counted and queued together: a mail that was counted is on its way. */
static int ask_together(struct call *call, const char *kind, const struct throttle *limit, const char *email)
{
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, ask(call, kind, limit, email));
}

int mailer_ask_code(struct call *call, const char *email)
{
	return ask_together(call, "code", &codes, email);
}

int mailer_ask_link(struct call *call, const char *email)
{
	return ask_together(call, "link", &links, email);
}

/* The administrator's address gets none: the account that opens by a link keeps what others may have made of it, which
 * must not be those rights. They come with a code. */
int mailer_ask_confirm(struct call *call, const char *email)
{
	const char *client = client_name(call->caller->ip, call->arena);
	int allowed = 0;

	if (strcmp(email, auth_state(call)->admin_email) != 0)
		allowed =
		    throttle_take(call->db, &confirms_from, client ? client : "", call->arena, call->err);
	if (allowed > 0)
		allowed = throttle_take(call->db, &confirms, email, call->arena, call->err);
	return allowed > 0 ? add(call, "confirm", email) : allowed;
}

int mailer_tell_removed(struct call *call, const char *email)
{
	return add(call, "removed", email);
}

static void add_member(struct text *object, const char *key, const char *value)
{
	text_addf(object, ",\"%s\":", key);
	text_add_json(object, value, strlen(value));
}

static int add_mail(struct call *call, const Auth__MailRequest *in)
{
	struct text payload;
	int allowed = throttle_take(call->db, &of_users, call->owner_id, call->arena, call->err);

	if (allowed <= 0)
		return allowed < 0 ? -1
		                   : error_too_many(call->err, 3600, "%d mails were sent for you in a day",
		                                    of_users.limit);
	text_init(&payload, call->arena);
	text_addf(&payload, "{\"asked\":%lld", (long long)(clock_unix_ms() / 1000));
	add_member(&payload, "to", in->to);
	add_member(&payload, "subject", in->subject);
	add_member(&payload, "text", in->text);
	if (in->reply_to)
		add_member(&payload, "replyTo", in->reply_to);
	text_addc(&payload, '}');
	return job_add(call->db, "mail", call->owner_id, in->key, payload.at, 0, call->err);
}

static bool is_address(const char *text)
{
	return format_email(text, strlen(text));
}

int auth_send_mail(struct call *call, const Auth__MailRequest *in, Rpc__Empty *out)
{
	struct account who;
	int found;

	(void)out;
	if (!call->owner_id || !in->to || !in->subject || !in->text || !in->key)
		return error_set(call->err, ERROR_INVALID, "a mail without its owner, key, address or words");
	if (!is_address(in->to) || (in->reply_to && !is_address(in->reply_to)))
		return error_set(call->err, ERROR_INVALID, "this is no address that mail can be sent to");
	found = store_get_account(call->db, call->owner_id, &who, call->arena, call->err);
	if (found < 0)
		return -1;
	if (!found || who.disabled || !who.proven)
		return error_set(call->err, ERROR_FORBIDDEN,
		                 "mail is sent for those alone who have confirmed their own address");
	if (db_begin(call->db, call->err) < 0)
		return -1;
	return account_end(call, add_mail(call, in));
}

/* --- Sending ----------------------------------------------------------------------------------------------------- */

/* Whole under its name, or not at all; a job that runs twice writes the same file. By name, files are in order. */
static int write_file(struct call *call, const struct mail *mail, const char *bytes, size_t size)
{
	const char *dir = arena_printf(call->arena, "%s/mail", auth_state(call)->settings->state);
	const char *path, *fresh;
	time_t seconds = (time_t)mail->date;
	int file, failed;
	struct tm tm;
	char when[32];

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	path = arena_printf(call->arena, "%s/%s-%s.eml", dir, when, mail->id);
	fresh = arena_printf(call->arena, "%s/.%s", dir, mail->id);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_internal(call->err, "mail: %s: %s", dir, strerror(errno));
	file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return error_internal(call->err, "mail: %s: %s", fresh, strerror(errno));
	failed = write(file, bytes, size) != (ssize_t)size;
	failed |= close(file) < 0;
	if (failed || rename(fresh, path) < 0)
		return error_internal(call->err, "mail: %s: %s", path, strerror(errno));
	log_line(LOG_INFO, "a mail was written to a file, since SMTP_URL is not set", LOG_TEXT("path", path));
	return 0;
}

/* 5xx is for ever, but for what an operator can mend: authentication, encryption, policy on this client. */
static bool is_final(int reply)
{
	return reply >= 550 && reply <= 559;
}

static int send_smtp(struct call *call, const char *to, const char *bytes, size_t size)
{
	const struct settings *set = auth_state(call)->settings;
	struct error err = { 0 };
	int reply = 0;
	struct egress_mail mail = {
		.server = set->smtp_url,
		.user = *set->smtp_user ? set->smtp_user : NULL,
		.password = set->smtp_password,
		.ca_file = *set->smtp_ca_file ? set->smtp_ca_file : NULL,
		.require_tls = set->smtp_require_tls,
		.from = mail_address(set->mail_from, call->arena),
		.to = to,
		.message = bytes,
		.message_size = size,
		.timeout_ms = SEND_MS,
	};

	if (egress_send_mail(auth_state(call)->egress, &mail, &reply, &err) == 0)
		return 0;
	/* ERROR_INVALID ends the job, anything else tries again. */
	error_set(call->err, is_final(reply) ? ERROR_INVALID : ERROR_UPSTREAM, "%s", err.message);
	error_detail(call->err, "%s", err.detail);
	return -1;
}

/* reply_to: NULL: to us. */
static int send_letter_of(struct call *call, const struct job *job, const char *to, const char *reply_to,
                          int64_t date, const struct letter *letter)
{
	const struct settings *set = auth_state(call)->settings;
	struct mail mail = {
		.from = set->mail_from,
		.to = to,
		.reply_to = reply_to,
		.subject = letter->subject,
		.id = job->id,
		.date = date,
		.text = letter->text,
		.html = letter->html,
	};
	size_t size;
	char *bytes = mail_build(&mail, &size, call->arena);

	return *set->smtp_url ? send_smtp(call, to, bytes, size) : write_file(call, &mail, bytes, size);
}

static int send_letter(struct call *call, const struct job *job, const char *to, int64_t date,
                       const struct letter *letter)
{
	return send_letter_of(call, job, to, NULL, date, letter);
}

/* --- The jobs ---------------------------------------------------------------------------------------------------- */

/* What a job of ours is about. 1, 0 when there is nobody to mail to, -1. */
static int read_job(struct call *call, const struct job *job, int64_t good_for, int64_t *asked,
                    struct account *who)
{
	OWN(json) json_object *payload = NULL;
	const char *email;
	int found;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	email = json_string(payload, "email");
	*asked = json_int(payload, "asked", 0);
	if (clock_unix_ms() / 1000 > *asked + good_for)
		return error_set(call->err, ERROR_INVALID, "it expired before it could be sent");
	found = store_find_account(call->db, email ? email : "", who, call->arena, call->err);
	if (found <= 0 || who->disabled)
		return found < 0 ? -1 : 0;
	if (job->attempt == 1 && audit(call, "mail_asked_for", who->uid, job->kind) < 0)
		return -1;
	return 1;
}

static int mail_code(struct call *call, const struct job *job)
{
	const unsigned char *key = auth_state(call)->proof_key;
	char code[PROOF_CODE], hash[PROOF_HASH];
	struct letter letter;
	struct account who = { 0 };
	int64_t asked;
	int go = read_job(call, job, PROOF_CODE_SECONDS, &asked, &who);

	if (go <= 0)
		return go;
	proof_code(key, job->id, code);
	proof_code_hash(key, who.uid, code, hash);
	go = store_put_code(call->db, who.uid, job->id, hash, asked + PROOF_CODE_SECONDS, call->err);
	if (go <= 0)
		return go;
	letter_code(code, auth_state(call)->settings->url, &letter, call->arena);
	return send_letter(call, job, who.email, asked, &letter);
}

static int mail_link(struct call *call, const struct job *job)
{
	const struct auth *auth = auth_state(call);
	char link[PROOF_LINK], hash[PROOF_HASH];
	struct letter letter;
	struct account who = { 0 };
	int64_t asked;
	int go = read_job(call, job, PROOF_LINK_SECONDS, &asked, &who);

	if (go <= 0)
		return go;
	proof_link(auth->proof_key, job->id, link);
	proof_link_hash(auth->proof_key, link, hash);
	if (store_put_link(call->db, who.uid, hash, asked + PROOF_LINK_SECONDS, call->err) < 0)
		return -1;
	letter_link(arena_printf(call->arena, "%s/reset-password?token=%s", auth->settings->url, link),
	            auth->settings->url, &letter, call->arena);
	return send_letter(call, job, who.email, asked, &letter);
}

static int mail_confirm(struct call *call, const struct job *job)
{
	const struct auth *auth = auth_state(call);
	char link[PROOF_LINK], hash[PROOF_HASH];
	struct letter letter;
	struct account who = { 0 };
	int64_t asked;
	int go = read_job(call, job, PROOF_CONFIRM_SECONDS, &asked, &who);

	if (go <= 0 || who.proven)
		return go < 0 ? -1 : 0;
	proof_link(auth->proof_key, job->id, link);
	proof_link_hash(auth->proof_key, link, hash);
	if (store_put_confirm(call->db, who.uid, hash, asked + PROOF_CONFIRM_SECONDS, call->err) < 0)
		return -1;
	letter_confirm(arena_printf(call->arena, "%s/confirm-email?token=%s", auth->settings->url, link),
	               auth->settings->url, &letter, call->arena);
	return send_letter(call, job, who.email, asked, &letter);
}

static int mail_removed(struct call *call, const struct job *job)
{
	struct letter letter;
	struct account who = { 0 };
	int64_t asked;
	int go = read_job(call, job, PROOF_CONFIRM_SECONDS, &asked, &who);

	if (go <= 0)
		return go;
	letter_removed(auth_state(call)->settings->url, &letter, call->arena);
	return send_letter(call, job, who.email, asked, &letter);
}

/* The words of a user of ours. */
static int mail_of_user(struct call *call, const struct job *job)
{
	OWN(json) json_object *payload = NULL;
	struct account who = { 0 };
	struct letter letter;
	int found;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	found = store_get_account(call->db, job->owner_id, &who, call->arena, call->err);
	if (found <= 0 || who.disabled)
		return found < 0 ? -1 : 0;
	letter_of_user(json_string(payload, "subject"), json_string(payload, "text"), who.email,
	               auth_state(call)->settings->url, &letter, call->arena);
	return send_letter_of(call, job, json_string(payload, "to"), json_string(payload, "replyTo"),
	                      json_int(payload, "asked", 0), &letter);
}

static void mail_given_up(struct call *call, const struct job *job, const struct error *why)
{
	(void)call;
	log_line(LOG_WARN, "a mail was given up", LOG_TEXT("kind", job->kind), LOG_TEXT("job", job->id),
	         LOG_INT("attempts", job->attempt), LOG_TEXT("why", why->message));
}

static int sweep(struct call *call, const struct job *job)
{
	(void)job;
	if (store_sweep(call->db, call->err) < 0 || store_sweep_programs(call->db, call->err) < 0 ||
	    store_sweep_flows(call->db, call->err) < 0)
		return -1;
	return job_add(call->db, "sweep", NULL, "sweep", "{}", SWEEP_SECONDS, call->err);
}

const struct job_kind mailer_kinds[] = {
	{ .kind = "code",
	  .run = mail_code,
	  .give_up = mail_given_up,
	  .attempts = 8,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "link",
	  .run = mail_link,
	  .give_up = mail_given_up,
	  .attempts = 10,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "confirm",
	  .run = mail_confirm,
	  .give_up = mail_given_up,
	  .attempts = 10,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "removed",
	  .run = mail_removed,
	  .give_up = mail_given_up,
	  .attempts = 10,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "mail",
	  .run = mail_of_user,
	  .give_up = mail_given_up,
	  .attempts = 12,
	  .first_pause_ms = 5 * 1000,
	  .lease_ms = 60 * 1000 },
	{ .kind = "sweep",
	  .run = sweep,
	  .attempts = 20,
	  .first_pause_ms = 60 * 1000,
	  .lease_ms = 600 * 1000 },
};
const size_t mailer_kind_count = sizeof mailer_kinds / sizeof *mailer_kinds;

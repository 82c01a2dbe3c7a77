/* svc-auth: who is calling, and how they prove it. */
#include <ctype.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.methods.h"
#include "common/base/log.h"
#include "common/service/service.h"
#include "services.h"
#include "svc-auth/auth.h"
#include "svc-auth/backup.h"
#include "svc-auth/init.h"
#include "svc-auth/mail.h"
#include "svc-auth/shard.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/store_providers.h"
#include "svc-auth/unlink.h"

enum { JOB_THREADS = 2, DATABASE_WAIT_MS = 60000 };

static const struct db_stmt *const statements[] = {
	store_statements,           store_keys_statements, store_proofs_statements, store_programs_statements,
	store_providers_statements, throttle_statements,   job_statements,          NULL
};

#define PROVIDER(at, n)                                                                                     \
	CONFIG_TEXT(struct settings, providers[at].issuer, "OIDC_" n "_ISSUER", "",                         \
	            "provider " n " to sign in with (OpenID Connect): its issuer, to the letter"),          \
	    CONFIG_TEXT(struct settings, providers[at].client_id, "OIDC_" n "_CLIENT_ID", "",               \
	                "our id there"),                                                                    \
	    CONFIG_SECRET(struct settings, providers[at].client_secret, "OIDC_" n "_CLIENT_SECRET", "",     \
	                  "our secret there; empty: none"),                                                 \
	    CONFIG_TEXT(struct settings, providers[at].name, "OIDC_" n "_NAME", "Provider " n,              \
	                "what people know it by; its letters and digits go into addresses"),                \
	    CONFIG_TEXT(struct settings, providers[at].scopes, "OIDC_" n "_SCOPES", "openid email profile", \
	                "what it is asked for"),                                                            \
	    CONFIG_TEXT(struct settings, providers[at].admin_claim, "OIDC_" n "_ADMIN_CLAIM", "",           \
	                "claim=value that makes an administrator: groups=parley-admins")

static const struct config_key keys[] = {
	CONFIG_BETWEEN(struct settings, token_hours, "AUTH_TOKEN_HOURS", "24", 1, 720,
	               "how long a sign-in lasts, in hours; at most 720"),
	CONFIG_BETWEEN(struct settings, hash_queue, "AUTH_HASH_QUEUE", "64", 1, 10000,
	               "how many may wait for their password to be checked; 503 beyond"),
	CONFIG_BETWEEN(struct settings, limits.keys, "AUTH_KEYS_PER_USER", "100", 1, 100000,
	               "API keys that one user may have, those of providers included"),
	/* For /api/settings alone; the services that keep these things read them, too. */
	CONFIG_BETWEEN(struct settings, limits.documents, "DOCUMENTS_PER_USER", "10000", 1, 100000000,
	               "documents that one user may have"),
	CONFIG_BETWEEN(struct settings, limits.bytes, "DOCUMENTS_BYTES_PER_USER", "10737418240", 1,
	               1000000000000000, "and how large they may be together"),
	CONFIG_BETWEEN(struct settings, limits.chatbots, "CHATBOTS_PER_USER", "1000", 1, 1000000,
	               "chatbots that one user may have"),
	CONFIG_BETWEEN(struct settings, limits.integrations, "INTEGRATIONS_PER_USER", "1000", 1, 1000000,
	               "integrations that one user may have"),
	CONFIG_BETWEEN(struct settings, limits.servers, "CHAT_SERVERS_PER_USER", "100", 1, 100000,
	               "MCP servers that one user may have"),
	CONFIG_EMAIL(struct settings, admin_email, "PARLEY_ADMIN_EMAIL", "",
	             "whose account may administrate, once proven"),
	CONFIG_URL(struct settings, url, "PUBLIC_URL", "http://localhost:8000", "http|https",
	           "where people reach Parley: goes into mails"),
	CONFIG_TEXT(struct settings, state, "PARLEY_STATE", ".run",
	            "directory; without SMTP_URL, mails are files in its mail/"),
	CONFIG_URL(struct settings, smtp_url, "SMTP_URL", "", "smtp|smtps",
	           "mail server: smtp://mail.example.com:587 or smtps://"),
	CONFIG_TEXT(struct settings, smtp_user, "SMTP_USER", "", "its user; empty: no authentication"),
	CONFIG_SECRET(struct settings, smtp_password, "SMTP_PASSWORD", "", "the user's password"),
	CONFIG_PATH(struct settings, smtp_ca_file, "SMTP_CA_FILE", "",
	            "certificates to trust; empty: the system's"),
	CONFIG_BOOL(struct settings, smtp_require_tls, "SMTP_REQUIRE_TLS", "1", "STARTTLS or no mail"),
	PROVIDER(0, "1"),
	PROVIDER(1, "2"),
	PROVIDER(2, "3"),
	CONFIG_BOOL(struct settings, oidc_only, "OIDC_ONLY", "0",
	            "no passwords and no codes: providers alone let people in"),
	CONFIG_URL(struct settings, return_url, "OAUTH_RETURN_URL", "", "http|https",
	           "the frontend's page where sign-ins elsewhere end; none: a page of ours"),
	CONFIG_TEXT(struct settings, mail_from, "MAIL_FROM", "Parley <parley@localhost>",
	            "who the mails are from"),
};

/* --- Starting and stopping --------------------------------------------------------------------------------------- */

static int check(void *settings, struct arena *a, struct error *err)
{
	const struct settings *set = settings;

	int rc = providers_check(set->providers, PROVIDERS, set->oidc_only, a, err);

	if (!mail_address(set->mail_from, a))
		rc = config_refuse(err, a, "MAIL_FROM",
		                   "MAIL_FROM must hold an address: Parley <parley@example.com>");
	return rc;
}

static bool has_admin_claim(const struct settings *set)
{
	bool any = false;

	for (int i = 0; i < PROVIDERS; i++)
		any = any || (*set->providers[i].issuer && *set->providers[i].admin_claim);
	return any;
}

/* The address is compared with those of users, which are in lower case. */
static int settle_admin(struct auth *auth, struct service *s, struct error *err)
{
	struct db db;
	int result;

	db_init(&db, service_db(s));
	result = store_settle_admin(&db, auth->admin_email, has_admin_claim(auth->settings), err);
	if (result == 0)
		result = job_add(&db, "sweep", NULL, "sweep", "{}", 0, err);
	db_done(&db);
	return result;
}

static void stop(void *state)
{
	struct auth *auth = state;

	job_runner_stop(auth->jobs);
	feed_stop(auth->feed);
	keystore_close(auth->keys);
	hasher_stop(auth->hasher);
	providers_close(auth->providers);
	egress_close(auth->egress);
	free(auth->admin_email);
	explicit_bzero(auth, sizeof *auth);
	free(auth);
}

/* An administrator's connection is for --init alone: what runs for weeks does not keep it, not even where ps finds it. */
static void forget_admin_url(void)
{
	static const char name[] = "ADMIN_DATABASE_URL";
	char *url = getenv(name);

	if (!url)
		return;
	explicit_bzero(url, strlen(url));
	unsetenv(name);
}

static int start(struct service *s, void *set, void **state, struct error *err)
{
	struct auth *auth = calloc(1, sizeof *auth);

	forget_admin_url();

	if (!auth)
		abort();
	*state = auth;
	auth->settings = set;
	auth->admin_email = strdup(auth->settings->admin_email);
	for (char *c = auth->admin_email; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	secret_derive(service_secret(s), "auth.proof", auth->proof_key);
	secret_derive(service_secret(s), "auth.ticket", auth->ticket_key);
	/* libargon2's 19 MiB go back to the system after each hash, instead of staying in the heap. */
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	auth->hasher = hasher_start((int)auth->settings->hash_queue);
	/* The operator names the mail server and the providers, nobody else: they may be anywhere. */
	if (egress_open("0.0.0.0/0,::/0", &auth->egress, err) < 0)
		return -1;
	auth->providers = providers_open(auth->settings->providers, PROVIDERS, auth->egress);
	if (keystore_open(service_db(s), service_secret(s), &auth->keys, err) < 0 ||
	    feed_start(s, auth->keys, &auth->feed, err) < 0 || settle_admin(auth, s, err) < 0 ||
	    job_runner_start(s, mailer_kinds, mailer_kind_count, JOB_THREADS, &auth->jobs, err) < 0)
		return -1;
	if (!*auth->settings->smtp_url)
		log_line(LOG_WARN, "SMTP_URL is not set: mails are written to files",
		         LOG_TEXT("directory", auth->settings->state), LOG_TEXT("below", "mail"));
	return 0;
}

/* --- Commands ---------------------------------------------------------------------------------------------------- */

struct command_settings {
	const char *admin_url, *url, *secret, *state, *admin_email;
};

static int init(char **args, struct arena *a, struct error *err)
{
	static const struct config_key wanted[] = {
		CONFIG_SECRET(struct command_settings, admin_url, "ADMIN_DATABASE_URL", NULL,
		              "an administrator's connection"),
		CONFIG_TEXT(struct command_settings, secret, "PARLEY_SECRET", NULL, "the file of the secret"),
		CONFIG_TEXT(struct command_settings, state, "PARLEY_STATE", "", "the state directory"),
	};
	struct command_settings set = { 0 };
	struct secret secret;
	int result;

	(void)args;
	if (config_load(wanted, 3, &set, a, err) < 0 || secret_load(&secret, set.secret, 1, err) < 0)
		return -1;
	result = init_database(set.admin_url, &secret, set.state, DATABASE_WAIT_MS, err);
	secret_forget(&secret);
	return result;
}

static int shard(char **args, struct arena *a, struct error *err)
{
	static const struct config_key wanted[] = {
		CONFIG_SECRET(struct command_settings, admin_url, "ADMIN_DATABASE_URL", NULL,
		              "an administrator's connection"),
	};
	struct command_settings set = { 0 };

	(void)args;
	return config_load(wanted, 1, &set, a, err) < 0 ? -1 : shard_database(set.admin_url, err);
}

/* The database as the service has it: a connection of its role. */
static int open_database(const struct db_stmt *const *tables, struct command_settings *set,
                         struct secret *secret, struct db_pool **ret, struct arena *a, struct error *err)
{
	static const struct config_key wanted[] = {
		CONFIG_SECRET(struct command_settings, url, "DATABASE_URL", NULL, "where PostgreSQL is"),
		CONFIG_TEXT(struct command_settings, secret, "PARLEY_SECRET", NULL, "the file of the secret"),
		CONFIG_TEXT(struct command_settings, admin_email, "PARLEY_ADMIN_EMAIL", "",
		            "who administrates"),
	};

	if (config_load(wanted, 3, set, a, err) < 0 || secret_load(secret, set->secret, 0, err) < 0)
		return -1;
	secret_offer_role_password(secret, "parley_auth");
	return db_pool_open(
	    &(struct db_config){ .url = set->url, .schema = "auth", .connections = 1, .statements = tables },
	    DATABASE_WAIT_MS, ret, err);
}

static int rotate_keys(char **args, struct arena *a, struct error *err)
{
	static const struct db_stmt *const tables[] = { store_keys_statements, NULL };
	struct command_settings set = { 0 };
	struct keystore *ring = NULL;
	struct db_pool *pool = NULL;
	struct secret secret = { 0 };
	int result = open_database(tables, &set, &secret, &pool, a, err);

	(void)args;
	if (result == 0)
		result = keystore_open(pool, &secret, &ring, err);
	if (result == 0)
		result = keystore_rotate(ring, err);
	keystore_close(ring);
	db_pool_free(pool);
	secret_forget(&secret);
	return result;
}

/* EMAIL [ISSUER] */
static int unlink_provider(char **args, struct arena *a, struct error *err)
{
	static const struct db_stmt *const tables[] = { store_statements, store_keys_statements,
		                                        store_proofs_statements, store_providers_statements,
		                                        NULL };
	struct command_settings set = { 0 };
	struct db_pool *pool = NULL;
	struct secret secret = { 0 };
	struct db db;
	int result;

	if (!args[0])
		return error_set(err, ERROR_INVALID, "--unlink needs an e-mail address, and an issuer");
	result = open_database(tables, &set, &secret, &pool, a, err);
	if (result == 0) {
		db_init(&db, pool);
		result =
		    unlink_person(&db,
		                  &(struct unlinking){
		                      .email = args[0], .issuer = args[1], .admin_email = set.admin_email },
		                  a, err);
		db_done(&db);
	}
	db_pool_free(pool);
	secret_forget(&secret);
	return result;
}

struct backup_settings {
	const char *secret, *passphrase;
};

static int load_backup(struct backup_settings *set, struct arena *a, struct error *err)
{
	static const struct config_key wanted[] = {
		CONFIG_TEXT(struct backup_settings, secret, "PARLEY_SECRET", NULL, "the file of the secret"),
		CONFIG_SECRET(struct backup_settings, passphrase, "PARLEY_PASSPHRASE", NULL,
		              "what the backup's secret is sealed with"),
	};

	return config_load(wanted, 2, set, a, err);
}

static int seal_secret(char **args, struct arena *a, struct error *err)
{
	struct backup_settings set = { 0 };
	char *sealed;

	(void)args;
	if (load_backup(&set, a, err) < 0 ||
	    backup_seal_secret(set.secret, set.passphrase, &sealed, a, err) < 0)
		return -1;
	puts(sealed);
	return 0;
}

static int open_secret(char **args, struct arena *a, struct error *err)
{
	struct backup_settings set = { 0 };
	char line[8192];

	(void)args;
	if (load_backup(&set, a, err) < 0)
		return -1;
	if (!fgets(line, sizeof line, stdin))
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return backup_open_secret(line, set.passphrase, set.secret, a, err);
}

static int list_schemas(char **args, struct arena *a, struct error *err)
{
	(void)args, (void)a, (void)err;
	for (int i = 0; i < SERVICES; i++)
		puts(services[i].name);
	return 0;
}

static int command(int argc, char **argv, struct arena *a, struct error *err)
{
	static const struct {
		const char *name;
		int (*run)(char **args, struct arena *a, struct error *err);
	} commands[] = { { "--init", init },
		         { "--shard", shard },
		         { "--rotate-keys", rotate_keys },
		         { "--unlink", unlink_provider },
		         { "--schemas", list_schemas }, /* of these three: common/scripts/parley.sh */
		         { "--seal-secret", seal_secret },
		         { "--open-secret", open_secret } };
	int result = 0;

	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			result = commands[i].run(argv + 2, a, err) < 0 ? -1 : 1;
	return result;
}

int main(int argc, char **argv)
{
	struct settings settings = { 0 };

	return service_main(argc, argv,
	                    &(struct service_config){
	                        .contract = &auth_contract,
	                        .peers = (const char *const[]){ "documents", "chat", "chatbots", NULL },
	                        .statements = statements,
	                        .keys = keys,
	                        .key_count = sizeof keys / sizeof *keys,
	                        .settings = &settings,
	                        .check = check,
	                        .start = start,
	                        .stop = stop,
	                        .command = command,
	                    });
}

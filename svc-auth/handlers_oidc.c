/* A person's way to a provider and back, in the browser: one function per method of auth.proto. */
#include <string.h>

#include "auth.methods.h"
#include "svc-auth/browser.h"
#include "svc-auth/grants.h"
#include "svc-auth/person.h"
#include "svc-auth/sign_pages.h"
#include "svc-auth/store_programs.h"
#include "svc-auth/store_providers.h"
#include "svc-auth/ticket.h"

enum { FLOW_SECONDS = 600, WORD_BYTES = 500, HANDOVER_SECONDS = 60 };
static const char cookie_name[] = "parley_oidc", cookie_path[] = "/auth/oidc";

/* One visit to a provider and back. */
struct visit {
	struct web *w;
	const struct provider *who;
	struct oauth_server server;
	struct oauth_request request;
	struct oidc_flow flow;
};

static struct providers *providers_of(const struct call *call)
{
	return auth_state(call)->providers;
}

static int sorry(struct web *w, int status, const char *why)
{
	return web_page(w, status, page_message("Signing in did not work", why, w->call->arena), NULL);
}

/* What the other side did goes onto the page, what is wrong with us does not. */
static int tell(struct web *w)
{
	static const struct {
		enum error_code code;
		int status;
	} told[] = { { ERROR_MALFORMED, 400 },      { ERROR_UNAUTHENTICATED, 400 }, { ERROR_FORBIDDEN, 502 },
		     { ERROR_INVALID, 502 },        { ERROR_TOO_LARGE, 502 },       { ERROR_UPSTREAM, 502 },
		     { ERROR_UNKNOWN_OUTCOME, 502 } };
	struct error *err = w->call->err;
	char *why = arena_printf(w->call->arena, "%s.", err->message);

	if (*why >= 'a' && *why <= 'z')
		*why = (char)(*why - 'a' + 'A');
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		if (err->code == told[i].code) {
			error_clear(err);
			return sorry(w, told[i].status, why);
		}
	return -1;
}

int auth_list_providers(struct call *call, const Rpc__Empty *in, Auth__ProviderList *out)
{
	struct providers *p = providers_of(call);

	(void)in;
	out->n_providers = providers_count(p);
	out->providers = arena_new(call->arena, Auth__Provider *, out->n_providers);
	for (size_t i = 0; i < out->n_providers; i++) {
		Auth__Provider *one = out->providers[i] = arena_new(call->arena, Auth__Provider, 1);

		auth__provider__init(one);
		one->id = (char *)providers_at(p, i)->id;
		one->name = (char *)providers_at(p, i)->set->name;
		one->start_url = arena_printf(call->arena, "%s/auth/oidc/%s/start",
		                              auth_state(call)->settings->url, one->id);
	}
	return 0;
}

/* --- There ------------------------------------------------------------------------------------------------------- */

/* What only this browser and we can make of the state: nothing secret is stored. */
static const char *secret_of(const struct web *w, const char *state, const char *purpose)
{
	return browser_seal(w, state, purpose);
}

static void fill_request(struct visit *v, const char *state)
{
	struct arena *a = v->w->call->arena;

	v->request = (struct oauth_request){
		.client_id = v->who->set->client_id,
		.redirect_uri = arena_printf(a, "%s/auth/oidc/%s/callback",
		                             auth_state(v->w->call)->settings->url, v->who->id),
		.state = state,
		.verifier = secret_of(v->w, state, "oidc verifier"),
		.nonce = secret_of(v->w, state, "oidc nonce"),
		.scope = v->who->set->scopes,
	};
}

static const char *hash_of(const struct web *w, const char *text)
{
	char *hex = arena_alloc(w->call->arena, 65);

	sha256_hex(hex, text, strlen(text));
	return hex;
}

/* The browser's own mark: several sign-ins may be under way in one. */
static const char *mark(struct web *w)
{
	const char *there = web_cookie(w, cookie_name);
	char *made = arena_alloc(w->call->arena, OAUTH_RANDOM);

	oauth_random(made);
	if (!there || strlen(there) != OAUTH_RANDOM - 1)
		there = made;
	web_set_cookie(w, cookie_name, there, cookie_path, FLOW_SECONDS);
	return there;
}

/* What the frontend gives along: fit to go back in an address, and into the database. */
static bool words_fit(const struct web *w)
{
	const char *state = web_get(w, "state"), *challenge = web_get(w, "code_challenge");

	if (web_doubled(w) || (challenge && !grants_challenge_fits(challenge)))
		return false;
	return !state || strlen(state) <= WORD_BYTES;
}

static int leave(struct visit *v)
{
	struct web *w = v->w;
	char state[OAUTH_RANDOM];

	if (providers_server(providers_of(w->call), w->call, v->who, &v->server) < 0)
		return tell(w);
	oauth_random(state);
	fill_request(v, state);
	v->flow = (struct oidc_flow){ .state = hash_of(w, state),
		                      .browser = hash_of(w, mark(w)),
		                      .provider = v->who->id,
		                      .next = browser_next(web_get(w, "next")),
		                      .app_state = web_get(w, "state"),
		                      .challenge = web_get(w, "code_challenge") };
	if (web_get(w, "page") && !v->flow.next)
		v->flow.next = "/oauth/account";
	if (store_put_flow(w->call->db, &v->flow, FLOW_SECONDS, w->call->err) < 0)
		return -1;
	return web_redirect(w, oauth_authorize_url(&v->server, &v->request, w->call->arena));
}

int auth_oidc_start(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct web w;
	struct visit v = { .w = &w };

	web_open(&w, call, in, out, false);
	v.who = providers_find(providers_of(call), web_segment(&w, 2));
	if (!v.who)
		return sorry(&w, 404, "There is no such provider here.");
	if (!words_fit(&w))
		return sorry(&w, 400,
		             "The page that sent you here asked for it in a way that is not understood.");
	return leave(&v);
}

/* --- And back ---------------------------------------------------------------------------------------------------- */

/* For a page of ours: its cookie. */
static int enter_page(struct visit *v, const struct account *who, const struct person *p)
{
	if (browser_sign_in(v->w, who, p->issuer, p->session) < 0)
		return -1;
	return audit(v->w->call, "signed_in", who->uid,
	             arena_printf(v->w->call->arena, "with %.50s", v->who->set->name));
}

/* For a frontend: a code that it exchanges, so that no token stands in an address. */
static int hand_over(struct visit *v, const struct account *who, const struct person *p, char **code)
{
	struct call *call = v->w->call;
	struct ticket t = { .number = 0 };
	struct sign_in_code row = { .kind = "token",
		                    .challenge = v->flow.challenge,
		                    .client_name = v->who->set->name,
		                    .issuer = p->issuer,
		                    .issuer_session = p->session };

	memcpy(t.owner, who->uid, UUID_TEXT);
	uuid_make(t.id);
	row.id = t.id;
	*code = arena_alloc(call->arena, TICKET_TEXT);
	ticket_make(auth_state(call)->ticket_key, TICKET_HANDOVER, &t, *code);
	return store_put_sign_in_code(call->db, who->uid, &row, HANDOVER_SECONDS, call->err);
}

/* In a transaction: 1 with a code, if it is for a frontend; 0, and *why says why not; -1. */
static int let_in(struct visit *v, const struct person *p, char **code, const char **why)
{
	struct account who;
	int found = person_account(v->w->call, v->who, p, &who, why);

	if (found <= 0)
		return found;
	if ((v->flow.next ? enter_page(v, &who, p) : hand_over(v, &who, p, code)) < 0)
		return -1;
	return 1;
}

static int go_on(struct visit *v, const char *code)
{
	struct call *call = v->w->call;
	const char *back = auth_state(call)->settings->return_url;
	struct text url;

	if (v->flow.next)
		return web_redirect(v->w, v->flow.next);
	if (!*back)
		return web_scripted_page(v->w, page_handed_over(code, v->flow.app_state, call->arena));
	text_init(&url, call->arena);
	text_adds(&url, back);
	if (!strchr(back, '?'))
		text_addc(&url, '?');
	web_add(&url, "sign_in_code", code);
	web_add(&url, "state", v->flow.app_state);
	return web_redirect(v->w, url.at);
}

/* Nothing of a refused sign-in is kept; what was asked of the provider is over. */
static int arrive(struct visit *v, const struct person *p)
{
	struct call *call = v->w->call;
	const char *why = NULL;
	char *code = NULL;
	int in;

	if (db_begin(call->db, call->err) < 0)
		return -1;
	in = let_in(v, p, &code, &why);
	if (in == 0)
		db_rollback(call->db);
	else if (account_end(call, in < 0 ? -1 : 0) < 0)
		return -1;
	return in ? go_on(v, code) : sorry(v->w, 403, why);
}

/* Who signed in there: what its token says, and if that lacks the address, what else it says. */
static int ask(struct visit *v, const char *code, struct person *ret)
{
	struct call *call = v->w->call;
	struct providers *p = providers_of(call);
	OWN(json) json_object *claims = NULL;
	OWN(json) json_object *more = NULL;
	struct oauth_tokens tokens;

	if (providers_exchange(p, call, v->who, &v->server, &v->request, code, &tokens) < 0 ||
	    providers_claims(p, call, v->who, &v->server, tokens.id_token, v->request.nonce, 0, &claims) < 0)
		return -1;
	if (!json_string(claims, "sub"))
		return error_set(call->err, ERROR_UPSTREAM, "the provider does not say who signed in");
	if (!json_string(claims, "email") && tokens.access &&
	    providers_person(p, call, &v->server, tokens.access, json_string(claims, "sub"), &more) < 0)
		return -1;
	person_read(call, v->who, claims, more, ret);
	return 0;
}

/* The visit that this is the end of: 1; 0 there is none, -1. */
static int find_visit(struct visit *v)
{
	struct web *w = v->w;
	const char *state = web_get(w, "state"), *there = web_cookie(w, cookie_name);
	int found;

	if (!state || !there || web_doubled(w))
		return 0;
	found = store_take_flow(w->call->db, hash_of(w, state), hash_of(w, there), v->who->id, &v->flow,
	                        w->call->arena, w->call->err);
	if (found > 0)
		fill_request(v, state);
	return found;
}

static int come_back(struct visit *v)
{
	struct web *w = v->w;
	struct person person;

	/* Whoever answers must be the one who was asked, before anything else of it is believed (RFC 9207). */
	if (providers_server(providers_of(w->call), w->call, v->who, &v->server) < 0 ||
	    oauth_check_response(&v->server, web_get(w, "iss"), w->call->err) < 0)
		return tell(w);
	if (web_get(w, "error") || !web_get(w, "code"))
		return sorry(w, 400, "The provider did not let you in, or you changed your mind.");
	if (ask(v, web_get(w, "code"), &person) < 0)
		return tell(w);
	return arrive(v, &person);
}

int auth_oidc_callback(struct call *call, const Rpc__RawRequest *in, Rpc__RawReply *out)
{
	struct web w;
	struct visit v = { .w = &w };
	int found;

	web_open(&w, call, in, out, false);
	v.who = providers_find(providers_of(call), web_segment(&w, 2));
	if (!v.who)
		return sorry(&w, 404, "There is no such provider here.");
	found = find_visit(&v);
	if (found < 0)
		return -1;
	if (!found)
		return sorry(
		    &w, 400,
		    "This sign-in was used already, took too long, or was begun in another browser.");
	return come_back(&v);
}

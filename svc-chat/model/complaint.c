#include "svc-chat/model/complaint.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "svc-chat/model/pause.h"
#include "svc-chat/model/repair.h"

enum { WORDS_MAX = 1000, TOLD_MAX = 200, SOON_MS = 60 * 1000 };

/* --- Reading ------------------------------------------------------------------------------------------------------ */

/* One line of at most `most` bytes, whole characters. */
static char *one_line(const char *text, size_t most, struct arena *a)
{
	char *line = arena_strndup(a, text, utf8_clip(text, strlen(text), most));

	for (char *at = line; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
	return line;
}

static const char *first_string(json_object *object, const char *const *keys)
{
	const char *text = NULL;

	for (; *keys && !(text && *text); keys++)
		text = json_string(object, *keys);
	return text && *text ? text : NULL;
}

static const char *words_of(json_object *error, int depth, struct arena *a);

/* "body.x: ", where it says what it is about. */
static void add_place(json_object *place, struct text *ret)
{
	size_t n = json_object_is_type(place, json_type_array) ? json_object_array_length(place) : 0;

	for (size_t i = 0; i < n; i++)
		text_addf(ret, "%s%s", json_object_get_string(json_object_array_get_idx(place, i)),
		          i + 1 < n ? "." : ": ");
}

/* FastAPI's list: [{"loc": ["body", "x"], "msg": "Field required"}]; or of whatever is told for one. */
static const char *of_list(json_object *list, int depth, struct arena *a)
{
	struct text t;

	text_init(&t, a);
	for (size_t i = 0; i < json_object_array_length(list) && i < 5; i++) {
		json_object *one = json_object_array_get_idx(list, i);
		const char *words = words_of(one, depth, a);

		if (!words)
			continue;
		text_adds(&t, t.length ? "; " : "");
		add_place(json_get(one, "loc"), &t);
		text_adds(&t, words);
	}
	return t.length ? t.at : NULL;
}

/* However deep it stands: {"message": {"detail": [{"msg": "..."}]}} */
static const char *words_of(json_object *error, int depth, struct arena *a)
{
	static const char *const keys[] = { "message",      "msg",         "detail", "error_msg",
		                            "errorMessage", "Message",     "error",  "errors",
		                            "fault",        "faultstring", NULL };
	const char *words = NULL;

	if (depth > 4)
		return NULL;
	if (json_object_is_type(error, json_type_string))
		return *json_object_get_string(error) ? json_object_get_string(error) : NULL;
	if (json_object_is_type(error, json_type_array))
		return of_list(error, depth + 1, a);
	for (const char *const *key = keys; *key && !words; key++)
		words = words_of(json_get(error, *key), depth + 1, a);
	return words;
}

/* Many send one that says nothing with each event: {"code": null, "message": ""}. */
static bool is_error(json_object *error)
{
	switch (json_object_get_type(error)) {
	case json_type_string: return *json_object_get_string(error) != '\0';
	case json_type_array: return json_object_array_length(error) > 0;
	case json_type_object: break;
	case json_type_int: return json_object_get_int64(error) != 0;
	default: return false;
	}
	json_object_object_foreach(error, key, value)
	{
		(void)key;
		if (is_error(value))
			return true;
	}
	return false;
}

/* Spring's and Hapi's error is a title: {"error": "Bad Request", "message": "..."}. */
static const char *words_beside(json_object *object, struct arena *a)
{
	static const char *const keys[] = { "message", "detail", NULL };
	json_object *error = json_get(object, "error");
	const char *words = words_of(error, 0, a), *more = first_string(object, keys);

	return words && more && json_object_is_type(error, json_type_string)
	           ? arena_printf(a, "%s: %s", words, more)
	           : words;
}

/* 429, and "429". */
static int status_of(json_object *error)
{
	static const char *const keys[] = { "status", "code", "status_code", "statusCode" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *text = json_string(error, keys[i]);
		int64_t status =
		    text && strlen(text) == 3 ? strtol(text, NULL, 10) : json_int(error, keys[i], 0);

		if (status >= 400 && status < 600)
			return (int)status;
	}
	return 0;
}

/* What a router's upstream has said goes behind what it says itself: {"message": "Provider returned error", "metadata":
 * {"raw": "{\"error\": ...}"}}. */
static const char *with_raw(json_object *error, const char *words, struct arena *a)
{
	const char *raw = json_string(json_get(error, "metadata"), "raw"), *inner = NULL;
	OWN(json) json_object *object = NULL;
	struct error ignored = { 0 };

	if (!raw || !*raw)
		return words;
	if (json_parse(raw, strlen(raw), &object, &ignored) == 0)
		inner = words_of(object, 0, a);
	return arena_printf(a, "%s%s%s", words ? words : "", words ? ": " : "", inner ? inner : raw);
}

/* The first that says something counts. */
static void note_pause(int64_t ms, struct complaint *ret)
{
	if (ms > 0 && !ret->pause_ms)
		ret->pause_ms = ms;
}

static void fill(json_object *error, const char *words, struct complaint *ret, struct arena *a)
{
	static const char *const titles[] = { "title", "type", NULL };
	static const char *const codes[] = { "code", "reason", "type", "status", NULL };
	static const char *const params[] = { "param", NULL };
	bool object = json_object_is_type(error, json_type_object);
	const char *code = object ? first_string(error, codes) : NULL;
	const char *param = object ? first_string(error, params) : NULL;

	if (!words && object)
		words = first_string(error, titles);
	words = with_raw(error, words, a);
	note_pause(words ? pause_in_words(words) : -1, ret);
	note_pause(pause_in_fields(error), ret);
	ret->words = words ? one_line(words, WORDS_MAX, a) : "";
	ret->code = one_line(arena_printf(a, "%s %s", code ? code : "", param ? param : ""), 100, a);
	ret->status = object ? status_of(error) : 0;
}

bool complaint_of(json_object *object, struct complaint *ret, struct arena *a)
{
	json_object *error = json_get(object, "error"), *base = json_get(object, "base_resp");
	const char *kind = json_string(object, "object");

	*ret = (struct complaint){ .words = "", .code = "" };
	if (json_object_is_type(object, json_type_array) && json_object_array_length(object)) /* Google's */
		return complaint_of(json_object_array_get_idx(object, 0), ret, a);
	if (is_error(error))
		fill(error, words_beside(object, a), ret, a);
	else if (kind && strcmp(kind, "error") == 0)
		fill(object, words_of(object, 0, a), ret, a);
	else if (json_int(base, "status_code", 0))
		fill(base, json_string(base, "status_msg"), ret, a);
	else
		return false;
	if (!ret->status)
		ret->status = status_of(object);
	note_pause(pause_in_fields(object), ret);
	return true;
}

bool complaint_remark(json_object *object, struct complaint *ret, struct arena *a)
{
	const char *words = words_of(object, 0, a);

	*ret = (struct complaint){ .words = "", .code = "" };
	if (words)
		fill(object, words, ret, a);
	return words != NULL;
}

void complaint_read(int status, const char *body, size_t size, struct complaint *ret, struct arena *a)
{
	OWN(json) json_object *object = NULL;
	struct error ignored = { 0 };
	struct text text;
	size_t lead;

	text_init(&text, a);
	repair_json(body, size, &text);
	lead = strspn(text.at, " \t\r\n");
	if (json_parse(text.at, text.length, &object, &ignored) == 0 && object) {
		if (!complaint_of(object, ret, a))
			fill(object, words_of(object, 0, a), ret, a);
	} else {
		*ret = (struct complaint){ .words = "", .code = "" };
		if (text.at[lead] != '<') /* no web page */
			ret->words = one_line(text.at + lead, WORDS_MAX, a);
	}
	if (status)
		ret->status = status;
}

/* --- Meaning ------------------------------------------------------------------------------------------------------ */

bool complaint_mentions(const struct complaint *c, const char *word)
{
	return strcasestr(c->words, word) != NULL || strcasestr(c->code, word) != NULL;
}

/* The first that fits counts. A row fits when the status is its own (0: any) and one of the words is there (none: any). */
static const struct {
	enum complaint_kind kind;
	int from, to;
	const char *words[40];
} meanings[] = {
	{ COMPLAINT_CONTEXT, 429, 429, { "request too large", NULL } }, /* for any minute */
	{ COMPLAINT_BUSY, 429, 429, { "per minute", "per min ", "(tpm)", "rate limit", "rate_limit", NULL } },
	{ COMPLAINT_CONTEXT,
	  400,
	  599,
	  { "context_length",
	    "context length",
	    "context window",
	    "contextwindow",
	    "context size",
	    "maximum context",
	    "maximum model length",
	    "prompt is too long",
	    "prompt exceeds",
	    "prompt length",
	    "prompt token count",
	    "prompt_tokens",
	    "prompt 超长",
	    "maximum prompt",
	    "max_prompt_tokens",
	    "too many tokens",
	    "input is too long",
	    "input is too large",
	    "input length",
	    "input token count",
	    "input tokens",
	    "`inputs` tokens",
	    "`inputs` must have less",
	    "max message tokens",
	    "max_seq_len",
	    "model token limit",
	    "too large for model",
	    "reduce the length",
	    "exceeds the model's",
	    "prompt tokens too long",
	    "content': string too long",
	    "上下文",
	    "token数量超",
	    "tokens数量超",
	    "输入长度",
	    NULL } },
	{ COMPLAINT_CONTEXT, 413, 413, { NULL } },
	{ COMPLAINT_KEY, 401, 403, { "account was flagged", "account has been flagged", NULL } },
	{ COMPLAINT_FILTER,
	  400,
	  451,
	  { "content_filter", "content filter", "content management policy", "content_policy",
	    "data_inspection_failed", "datainspectionfailed", "moderation", "safety system", "safety_check",
	    "usage guidelines", "usage policy", "usage policies", "inappropriate content", "flagged",
	    "content exists risk", "敏感内容", NULL } },
	{ COMPLAINT_PAYMENT,
	  400,
	  599,
	  { "insufficient_quota",
	    "insufficient_user_quota",
	    "insufficient balance",
	    "insufficient_balance",
	    "account balance",
	    "balance is",
	    "exceeded your current quota",
	    "spending limit",
	    "billing",
	    "payment",
	    "credit",
	    "arrear",
	    "not enough balance",
	    "overdue",
	    "unpaid",
	    "usage limits",
	    "budget has been exceeded",
	    "budget_exceeded",
	    "余额",
	    "额度",
	    "充值",
	    "资源包",
	    "欠费",
	    NULL } },
	{ COMPLAINT_PAYMENT, 402, 402, { NULL } },
	{ COMPLAINT_ADDRESS, 401, 403, { "invalid_model", "model_not_found", "model_not_supported", NULL } },
	{ COMPLAINT_KEY, 401, 401, { NULL } },
	{ COMPLAINT_ADDRESS, 404, 404, { "model", NULL } },
	{ COMPLAINT_KEY,
	  400,
	  599,
	  { "api key", "api-key", "api_key", "apikey", "api secret", "authentication", "authorization",
	    "unauthorized", "unauthenticated", "credential", "invalid token", "bearer", "login fail",
	    "身份验证", NULL } },
	{ COMPLAINT_KEY, 403, 403, { NULL } },
	{ COMPLAINT_ADDRESS,
	  400,
	  599,
	  { "model_not_found", "no available channel", "无可用渠道", "模型不存在", NULL } },
	{ COMPLAINT_BUSY, 429, 429, { NULL } },
	{ COMPLAINT_BUSY, 498, 498, { NULL } },
	{ COMPLAINT_BUSY, 503, 503, { NULL } },
	{ COMPLAINT_BUSY, 529, 529, { NULL } },
	{ COMPLAINT_BUSY, 500, 599, { "overloaded", "rate limit", "rate_limit", "capacity", NULL } },
	{ COMPLAINT_ADDRESS, 404, 405, { NULL } },
	{ COMPLAINT_ADDRESS, 410, 410, { NULL } },
	{ COMPLAINT_ADDRESS,
	  400,
	  422,
	  { "no such model", "does not exist", "unknown model", "unsupported model", "model not exist",
	    "invalid model", "invalid_model", "valid model id", "model identifier is invalid", "real modelid",
	    "decommissioned", "model_not_supported", "not a known model",
	    "no healthy deployments for this model", NULL } },
	{ COMPLAINT_REDIRECT, 300, 399, { NULL } },
	{ COMPLAINT_FAILED, 500, 599, { NULL } },
	{ COMPLAINT_FAILED, 408, 409, { NULL } },
	{ COMPLAINT_FAILED, 425, 425, { NULL } },
};

static bool mentions_any(const struct complaint *c, const char *const *words)
{
	while (*words && !complaint_mentions(c, *words))
		words++;
	return *words != NULL;
}

/* A prompt over a limit, in words that nobody has told us; not an answer, nor what else has limits. */
static bool about_length(const struct complaint *c)
{
	static const char *const subjects[] = { "tokens", "prompt", "conversation", "messages", NULL };
	static const char *const limits[] = { "exceed",   "the limit", "at most", "too long",
		                              "too many", "too large", NULL };
	static const char *const others[] = { "max_",       "max tokens",  "maximum tokens", "output",
		                              "completion", "tool",        "name",           "schema",
		                              "image",      "temperature", "budget",         "daily",
		                              "per day",    "monthly",     "quota",          "system message",
		                              NULL };

	return mentions_any(c, subjects) && mentions_any(c, limits) && !mentions_any(c, others);
}

enum complaint_kind complaint_kind(const struct complaint *c)
{
	if (c->status == 429 && c->pause_ms && c->pause_ms <= SOON_MS)
		return COMPLAINT_BUSY; /* a quota of a minute, not of the purse */
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		const char *const *word = meanings[i].words;
		int status = c->status ? c->status : 400; /* words alone */

		if (status < meanings[i].from || status > meanings[i].to)
			continue;
		if (!*word)
			return meanings[i].kind;
		for (; *word; word++)
			if (complaint_mentions(c, *word))
				return meanings[i].kind;
	}
	if (c->status)
		return about_length(c) ? COMPLAINT_CONTEXT : COMPLAINT_REQUEST;
	return complaint_mentions(c, "overload") || complaint_mentions(c, "server_error") ||
	               complaint_mentions(c, "internal")
	           ? COMPLAINT_FAILED
	           : COMPLAINT_REQUEST;
}

/* --- Telling ------------------------------------------------------------------------------------------------------ */

/* Keys, addresses of hosts and people, and what is long enough to be one and has digits. */
static bool is_secret(const char *word, size_t size, const char *key)
{
	char copy[256];
	int digits = 0;

	if (size >= sizeof copy)
		return true;
	memcpy(copy, word, size);
	copy[size] = '\0';
	for (size_t i = 0; i < size; i++)
		digits += isdigit((unsigned char)copy[i]) != 0;
	return strstr(copy, "://") || strchr(copy, '@') || strstr(copy, "**") || strstr(copy, "sk-") ||
	       (*key && strstr(copy, key)) || (size > 24 && digits > 3) ||
	       strspn(copy, "0123456789.:[]") == size;
}

/* Here it begins to recite what we have sent: "input={'role': 'system', ..." */
static bool repeats_request(const char *at)
{
	static const char *const starts[] = { "input=", "input:",   "{'role'",    "{\"role\"",
		                              "'role'", "\"role\"", "'messages'", "\"messages\"" };

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncmp(at, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

const char *complaint_words(const struct complaint *c, const char *key, struct arena *a)
{
	struct text t;

	if (complaint_kind(c) == COMPLAINT_KEY)
		return "";
	text_init(&t, a);
	for (const char *at = c->words; *at && !repeats_request(at);) {
		size_t word = strcspn(at, " ,;'\"()"), after = word + strspn(at + word, " ,;'\"()");
		bool number = word <= 6 && strspn(at, "0123456789.") == word;

		if (!number && is_secret(at, word, key))
			text_adds(&t, "…");
		else
			text_add(&t, at, word);
		text_add(&t, at + word, after - word);
		at += after;
	}
	return one_line(t.at, TOLD_MAX, a);
}

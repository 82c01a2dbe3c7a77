#include "svc-chat/model/pattern.h"

#include <string.h>

#include "common/base/utf8.h"

enum { EVENT_MAX = 2048 };

static const char key[] = "\"content\":";

void pattern_init(struct pattern *p, struct arena *a)
{
	*p = (struct pattern){ 0 };
	text_init(&p->bytes, a);
}

/* A string of JSON that means what it says. */
static bool is_plain(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == '"' || bytes[i] == '\\')
			return false;
	return size && utf8_valid(bytes, size);
}

/* Where the value of the only "content" begins, behind its quote; NULL: there is none, or another too. In a string of JSON no
 * quote stands without a backslash, so this is a key indeed. */
static const char *content_in(const char *bytes, size_t size)
{
	const char *end = bytes + size, *at = memmem(bytes, size, key, sizeof key - 1), *value;

	if (!at || at == bytes || !strchr("{, ", at[-1]) || !at[-1])
		return NULL;
	value = at + sizeof key - 1;
	if (memmem(value, (size_t)(end - value), key, sizeof key - 1))
		return NULL;
	while (value < end && *value == ' ')
		value++;
	return value < end && *value == '"' ? value + 1 : NULL;
}

void pattern_learn(struct pattern *p, const char *bytes, size_t size, const struct completion *c)
{
	size_t length = c->text ? strlen(c->text) : 0;
	const char *at;

	p->head = 0;
	if (!length || size > EVENT_MAX || c->reasoning || c->call_count || c->finish || c->done ||
	    c->failed || c->has_usage || c->whole)
		return;
	at = content_in(bytes, size);
	if (!at || (size_t)(bytes + size - at) <= length || memcmp(at, c->text, length) != 0 ||
	    at[length] != '"' || !is_plain(at, length))
		return;
	p->bytes.length = 0;
	text_add(&p->bytes, bytes, size);
	p->head = (size_t)(at - bytes);
	p->tail = size - p->head - length;
}

bool pattern_read(const struct pattern *p, const char *bytes, size_t size, const char **text, size_t *length)
{
	if (!p->head || size <= p->head + p->tail || memcmp(bytes, p->bytes.at, p->head) != 0 ||
	    memcmp(bytes + size - p->tail, p->bytes.at + p->bytes.length - p->tail, p->tail) != 0)
		return false;
	*text = bytes + p->head;
	*length = size - p->head - p->tail;
	return is_plain(*text, *length);
}

#include "svc-chat/model/news.h"

#include <ctype.h>
#include <string.h>

enum {
	SURELY = 32, /* bytes that a text hardly begins with twice */
	WORD = 2,    /* that a text does not say twice within a word */
};

/* FNV-1a, from where it was. */
static uint64_t hashed(uint64_t hash, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

static bool has_letter(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (isalpha((unsigned char)bytes[i]) || (unsigned char)bytes[i] >= 0x80)
			return true;
	return false;
}

/* "haha" is "ha" again and again. */
static bool is_rhythm(const char *piece, size_t size, size_t period)
{
	return memcmp(piece, piece + period, size - period) == 0;
}

bool news_begins(const struct news *n, const char *piece, size_t size)
{
	return n->said && size >= n->said && hashed(0, piece, n->said) == n->hash;
}

static bool repeats(const struct news *n, const char *piece, size_t size, bool snapshot)
{
	if (!news_begins(n, piece, size))
		return false;
	if (snapshot || n->repeats)
		return true;
	if (n->said >= SURELY)
		return size == n->said ? n->pieces > 1
		                       : size < 2 * n->said || !is_rhythm(piece, size, n->said);
	return size > n->said && n->said >= WORD && has_letter(piece, n->said) &&
	       !is_rhythm(piece, size, n->said);
}

const char *news_of(struct news *n, const char *piece, size_t *size, bool snapshot)
{
	size_t old = repeats(n, piece, *size, snapshot) ? n->said : 0;

	n->repeats |= old > 0;
	piece += old;
	*size -= old;
	n->hash = hashed(n->hash, piece, *size);
	n->said += *size;
	n->pieces += *size > 0;
	return piece;
}

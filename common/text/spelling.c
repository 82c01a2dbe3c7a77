#include "common/text/spelling.h"

#include <string.h>

enum { SWAPPED_LEAST = 4, CHANGED_LEAST = 5 /* bytes of a word that may have letters swapped; changed */ };

/* One letter more in `longer`. */
static bool one_more(const char *longer, const char *shorter, size_t size)
{
	size_t i = 0;

	while (i < size && longer[i] == shorter[i])
		i++;
	return memcmp(longer + i + 1, shorter + i, size - i) == 0;
}

bool spelling_near(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t i = 0, longer = a_size > b_size ? a_size : b_size;

	if (longer < SWAPPED_LEAST || longer > a_size + 1 || longer > b_size + 1)
		return false;
	if (a_size != b_size)
		return longer >= CHANGED_LEAST &&
		       (a_size > b_size ? one_more(a, b, b_size) : one_more(b, a, a_size));
	while (i < a_size && a[i] == b[i])
		i++;
	if (i == a_size)
		return false; /* the same */
	if (i + 1 < a_size && a[i] == b[i + 1] && a[i + 1] == b[i] &&
	    memcmp(a + i + 2, b + i + 2, a_size - i - 2) == 0)
		return true;
	return a_size >= CHANGED_LEAST && memcmp(a + i + 1, b + i + 1, a_size - i - 1) == 0;
}

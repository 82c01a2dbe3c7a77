#include "tests/fuzz/kept.h"

#include <sanitizer/allocator_interface.h>
#include <stddef.h>
#include <stdlib.h>

const char *__asan_default_options(void);

/* What a run keeps for good would be looked for after every run. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

enum {
	SMALL = 64,
	KEPT_MAX = 1 << 20,
	WARM = 100 /* inputs, until the libraries have what they keep for good */
};
static const volatile void *kept[KEPT_MAX];
static size_t kept_count;
static int recording;

static void taken(const volatile void *at, size_t size)
{
	if (recording && size > SMALL && kept_count < KEPT_MAX)
		kept[kept_count++] = at;
}

static void given_back(const volatile void *at)
{
	for (size_t i = kept_count; recording && i-- > 0 && kept_count - i < 4096;)
		if (kept[i] == at) {
			kept[i] = kept[--kept_count];
			return;
		}
}

void kept_begin(void)
{
	static int begun;

	if (begun++ == 0)
		__sanitizer_install_malloc_and_free_hooks(taken, given_back);
	recording = begun > WARM;
}

void kept_end(void)
{
	recording = 0;
	for (size_t i = 0; i < kept_count; i++)
		free((void *)kept[i]);
	kept_count = 0;
}

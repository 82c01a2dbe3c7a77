#include "svc-documents/ingest/site.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "svc-documents/ingest/address.h"
#include "svc-documents/ingest/robots.h"

enum { ADDRESS_MAX = 2000, SEGMENTS_MAX = 20, REPEATS_MAX = 3, PARAMETERS_MAX = 8 };

/* --- Addresses -------------------------------------------------------------------------------------------------- */

/* A host has no case, and what is percent-encoded has capitals: one address is written in one way. */
static char *copy_address(const char *whole, struct arena *a)
{
	char *ret = arena_strdup(a, whole), *s = strstr(ret, "://");

	for (s = s ? s + 3 : ret; *s && !strchr("/?#", *s); s++)
		*s = (char)tolower((unsigned char)*s);
	for (; *s; s++)
		if (*s == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
			s[1] = (char)toupper((unsigned char)s[1]);
			s[2] = (char)toupper((unsigned char)s[2]);
		}
	return ret;
}

/* What is not ASCII yet, or can't be seen, is a host that has no name in DNS. */
static bool is_graphic(const char *s)
{
	while (*s > ' ' && *s < 0x7f)
		s++;
	return !*s;
}

const char *site_address(const char *here, const char *there, struct arena *a)
{
	CURLU *url = curl_url();
	const char *ret = NULL;
	char *whole = NULL;

	if (strlen(there) <= ADDRESS_MAX && curl_url_set(url, CURLUPART_URL, here, 0) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_URL, address_ascii(there, a), CURLU_URLENCODE) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_URL, &whole, CURLU_NO_DEFAULT_PORT) == CURLUE_OK &&
	    strlen(whole) <= ADDRESS_MAX && is_graphic(whole) &&
	    (strncmp(whole, "http://", 7) == 0 || strncmp(whole, "https://", 8) == 0))
		ret = copy_address(whole, a);
	curl_free(whole);
	curl_url_cleanup(url);
	return ret;
}

static const char *host_of(const char *url, size_t *size)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	*size = strcspn(host, "/?#");
	if (*size > 4 && strncasecmp(host, "www.", 4) == 0) {
		host += 4;
		*size -= 4;
	}
	return host;
}

bool site_same(const char *a, const char *b)
{
	size_t n, m;
	const char *one = host_of(a, &n), *other = host_of(b, &m);

	return n == m && strncasecmp(one, other, n) == 0;
}

const char *site_path(const char *url)
{
	size_t n;
	const char *path = host_of(url, &n) + n;

	return *path == '/' ? path : "/";
}

/* --- What is read ------------------------------------------------------------------------------------------------- */

/* A path that goes round in circles, or has more parameters than a page needs. */
static bool is_trap(const char *path)
{
	const char *segments[SEGMENTS_MAX];
	size_t sizes[SEGMENTS_MAX], count = 0, parameters = 0;
	const char *s = path;

	while (*s == '/') {
		size_t n = strcspn(++s, "/?#"), same = 0;

		if (count == SEGMENTS_MAX)
			return true;
		for (size_t i = 0; i < count; i++)
			same += n && sizes[i] == n && memcmp(segments[i], s, n) == 0;
		if (same >= REPEATS_MAX)
			return true;
		segments[count] = s;
		sizes[count++] = n;
		s += n;
	}
	for (s = strchr(path, '?'); s; s = strchr(s + 1, '&'))
		parameters++;
	return parameters > PARAMETERS_MAX;
}

/* By its name no text: it is not even asked for. */
static bool is_no_text(const char *path)
{
	static const char *const endings[] = { "jpg", "jpeg", "png", "gif",   "webp", "svg", "ico",  "css",
		                               "js",  "mjs",  "mp3", "mp4",   "avi",  "mov", "webm", "ogg",
		                               "wav", "zip",  "gz",  "tgz",   "bz2",  "xz",  "7z",   "rar",
		                               "exe", "dmg",  "iso", "deb",   "rpm",  "apk", "woff", "ttf",
		                               "eot", "jar",  "bin", "woff2", NULL };
	size_t n = strcspn(path, "?#");
	const char *dot = memrchr(path, '.', n);

	for (const char *const *e = endings; dot && *e; e++)
		if (strlen(*e) == n - (size_t)(dot + 1 - path) && strncasecmp(dot + 1, *e, strlen(*e)) == 0)
			return true;
	return false;
}

static bool fits_one(char **patterns, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (robots_fits(patterns[i], strlen(patterns[i]), path))
			return true;
	return false;
}

bool site_wants(const struct site_limits *s, const char *url)
{
	const char *path = site_path(url);

	return site_same(s->url, url) && !is_no_text(path) && !is_trap(path) &&
	       (s->include_count == 0 || fits_one(s->include, s->include_count, path)) &&
	       !fits_one(s->exclude, s->exclude_count, path) && (!s->robots || robots_allow(s->robots, path));
}

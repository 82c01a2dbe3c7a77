/*
 * token: what the gateway's check of a session token costs beside a bare jwt_decode() of libjwt, which does less: it
 * looks neither at alg nor exp nor iss. Prints "check_us decode_us", medians of interleaved rounds.
 */
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/secret/token.h"

enum { ROUNDS = 9, CALLS = 20000 };

static int ascending(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double check(const struct keyring *ring, const char *token)
{
	int64_t start = clock_mono_us(), now = clock_unix_ms() / 1000;

	for (int i = 0; i < CALLS; i++) {
		struct token_claims claims;
		struct error err = { 0 };

		if (token_verify(ring, token, now, NULL, &claims, &err) < 0) {
			fprintf(stderr, "%s\n", err.message);
			exit(1);
		}
	}
	return (double)(clock_mono_us() - start) / CALLS;
}

static double decode(const struct keyring *ring, const char *token)
{
	int64_t start = clock_mono_us();

	for (int i = 0; i < CALLS; i++) {
		jwt_t *jwt;

		if (jwt_decode(&jwt, token, ring->keys[0].bytes, KEY_SIZE)) {
			fputs("jwt_decode refused our token\n", stderr);
			exit(1);
		}
		jwt_free(jwt);
	}
	return (double)(clock_mono_us() - start) / CALLS;
}

int main(void)
{
	struct keyring ring = { .count = 1 };
	struct token_claims claims = { .user_number = 1, .issued = clock_unix_ms() / 1000 };
	double checks[ROUNDS], decodes[ROUNDS];
	struct error err = { 0 };
	struct arena a;
	char *token;

	arena_init(&a, 0);
	snprintf(ring.keys[0].id, sizeof ring.keys[0].id, "bench");
	random_bytes(ring.keys[0].bytes, KEY_SIZE);
	uuid_make(claims.user_id);
	uuid_make(claims.session_id);
	claims.expires = claims.issued + 3600;
	if (token_sign(&ring, &claims, &a, &token, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		checks[i] = check(&ring, token);
		decodes[i] = decode(&ring, token);
	}
	qsort(checks, ROUNDS, sizeof *checks, ascending);
	qsort(decodes, ROUNDS, sizeof *decodes, ascending);
	printf("%.2f %.2f\n", checks[ROUNDS / 2], decodes[ROUNDS / 2]);
	arena_done(&a);
	return 0;
}

/*
 * Tokens and keys that others made. "keys LF token": nothing verifies (the seeds' signatures are none), and what the
 * claims of a token say is judged without a crash, whatever it is.
 */
#include <stdlib.h>
#include <string.h>

#include "common/oauth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct jwt_expectation e = { "https://idp.example", "us", "n", 1750000000, 300 };
	char *text = malloc(size + 1), *line;
	json_object *claims = NULL;
	struct error err = { 0 };

	memcpy(text, data, size);
	text[size] = '\0';
	line = strchr(text, '\n');
	if (line)
		*line = '\0';
	if (jwt_verify(line ? line + 1 : "", text, &claims, &err) == 1)
		json_object_put(claims);
	error_clear(&err);
	claims = NULL;
	if (json_parse(text, strlen(text), &claims, &err) == 0 &&
	    json_object_is_type(claims, json_type_object))
		(void)!jwt_expect(claims, &e, &err);
	json_object_put(claims);
	free(text);
	return 0;
}

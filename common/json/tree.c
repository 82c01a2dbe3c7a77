#include "common/json/tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"

enum { NUMBER_ROOM = 160 /* more than the scanner lets pass */, SHORT = 512 /* bytes of a text */ };

/* Of the text all is known to be right: that what is open is closed, and what an escape is made of. */
struct building {
	const char *at, *end;
	char *room; /* for a string with escapes, or a key: as long as the text, and a NUL */
	const char *why;
};

static json_object *build_value(struct building *b);

static json_object *made(json_object *value)
{
	if (!value)
		abort();
	return value;
}

static char next(struct building *b)
{
	while (b->at < b->end && (*b->at == ' ' || *b->at == '\n' || *b->at == '\r' || *b->at == '\t'))
		b->at++;
	return (char)(b->at < b->end ? *b->at : '\0');
}

/* --- Strings ---------------------------------------------------------------------------------------------------------- */

static uint32_t hex4(const char *at)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
	return value;
}

/* What follows a backslash becomes bytes. */
static char *unescape(struct building *b, char *to)
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *letter;
	uint32_t c;

	if (*b->at != 'u') {
		letter = strchr(letters, *b->at);
		*to = letter ? bytes[letter - letters] : *b->at;
		b->at++;
		return to + 1;
	}
	c = hex4(b->at + 1);
	b->at += 5;
	if (c >= 0xd800 && c <= 0xdbff) {
		c = 0x10000 + ((c - 0xd800) << 10 | (hex4(b->at + 2) - 0xdc00));
		b->at += 6;
	}
	return to + utf8_put(to, c);
}

/* The string that begins here, in the room. */
static const char *copy_string(struct building *b, size_t *size)
{
	char *to = b->room;

	b->at++;
	while (*b->at != '"') {
		if (*b->at == '\\') {
			b->at++;
			to = unescape(b, to);
		} else {
			*to++ = *b->at++;
		}
	}
	b->at++;
	*to = '\0';
	*size = (size_t)(to - b->room);
	return b->room;
}

static json_object *build_string(struct building *b)
{
	const char *text = b->at + 1, *quote = memchr(text, '"', (size_t)(b->end - text));
	size_t size = (size_t)(quote - text);

	if (memchr(text, '\\', size))
		text = copy_string(b, &size);
	else
		b->at = quote + 1;
	return made(json_object_new_string_len(text, (int)size));
}

/* --- The others ------------------------------------------------------------------------------------------------------- */

/* A number with a point or an exponent is printed as it came. */
static json_object *build_number(struct building *b)
{
	char digits[NUMBER_ROOM];
	size_t size = 0;
	bool whole = true;
	double real;

	for (; b->at < b->end && strchr("+-.0123456789Ee", *b->at) && *b->at; b->at++) {
		whole &= !strchr(".Ee", *b->at);
		digits[size++] = *b->at;
	}
	digits[size] = '\0';
	if (whole)
		return made(json_object_new_int64(strtoll(digits, NULL, 10)));
	real = strtod(digits, NULL);
	if (!isfinite(real))
		b->why = "a number is too large";
	return made(json_object_new_double_s(real, digits));
}

/* A key waits in the room for its value, which may need some, too. */
static void add_member(struct building *b, json_object *object) // NOLINT(misc-no-recursion)
{
	size_t size;
	const char *key = copy_string(b, &size);
	json_object *value;

	(void)next(b);
	b->at++; /* the colon */
	b->room += size + 1;
	value = build_value(b);
	b->room -= size + 1;
	if (json_object_object_add(object, key, value) < 0)
		abort();
}

static json_object *build_object(struct building *b) // NOLINT(misc-no-recursion)
{
	json_object *object = made(json_object_new_object());
	int members = 0;

	for (b->at++; next(b) != '}';) {
		b->at += *b->at == ',';
		(void)next(b);
		add_member(b, object);
		members++;
	}
	b->at++;
	if (json_object_object_length(object) != members)
		b->why = "a key stands twice in one object";
	return object;
}

static json_object *build_array(struct building *b) // NOLINT(misc-no-recursion)
{
	json_object *array = made(json_object_new_array_ext(1)); /* most are short */

	for (b->at++; next(b) != ']';) {
		b->at += *b->at == ',';
		if (json_object_array_add(array, build_value(b)) < 0)
			abort();
	}
	b->at++;
	json_object_array_shrink(array, 0);
	return array;
}

static json_object *build_word(struct building *b, size_t size, json_object *value)
{
	b->at += size;
	return value;
}

static json_object *build_value(struct building *b) // NOLINT(misc-no-recursion)
{
	switch (next(b)) {
	case '{': return build_object(b);
	case '[': return build_array(b);
	case '"': return build_string(b);
	case 't': return build_word(b, 4, made(json_object_new_boolean(true)));
	case 'f': return build_word(b, 5, made(json_object_new_boolean(false)));
	case 'n': return build_word(b, 4, NULL);
	default: return build_number(b);
	}
}

int json_tree(const char *bytes, size_t length, json_object **ret, const char **why)
{
	char little[SHORT], *room = length < sizeof little ? little : malloc(length + 1);
	struct building b = { .at = bytes, .end = bytes + length, .room = room };

	if (!room)
		abort();
	*ret = build_value(&b);
	if (room != little)
		free(room);
	if (!b.why)
		return 0;
	json_object_put(*ret);
	*ret = NULL;
	*why = b.why;
	return -1;
}

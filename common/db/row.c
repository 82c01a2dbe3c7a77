#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/db/internal.h"

enum { OID_TIMESTAMPTZ = 1184, MOST_COLUMNS = 64 };

/* A member of the message, at its offset. */
#define MEMBER(msg, offset, type) (*(type *)((char *)(msg) + (offset)))

/* "2025-01-15 10:30:00.123456+00" as RFC 3339 with milliseconds: "2025-01-15T10:30:00.123Z". */
static char *rfc3339(const char *text, struct arena *a)
{
	static const char midnight[] = "0000-00-00T00:00:00.000Z";
	char *out;

	if (strlen(text) < 19 || text[10] != ' ')
		return arena_strdup(a, text); /* infinity */
	out = arena_memdup(a, midnight, sizeof midnight - 1);
	memcpy(out, text, 10);
	memcpy(out + 11, text + 11, 8);
	for (int i = 20; text[19] == '.' && i < 23 && text[i] >= '0' && text[i] <= '9'; i++)
		out[i] = text[i];
	return out;
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 15; /* PostgreSQL writes small letters */
}

/* bytea as text: "\x" and two digits a byte. */
static int read_bytes(const char *text, size_t length, ProtobufCBinaryData *ret, struct arena *a)
{
	size_t size = length < 2 ? 0 : (length - 2) / 2;

	if (length < 2 || text[0] != '\\' || text[1] != 'x')
		return -1;
	ret->data = arena_alloc(a, size + 1);
	ret->len = size;
	for (size_t i = 0; i < size; i++)
		ret->data[i] = (uint8_t)(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
	return 0;
}

static int read_int(const char *text, int64_t low, int64_t high, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno || end == text || *end || *ret < low || *ret > high ? -1 : 0;
}

static int read_enum(const ProtobufCEnumDescriptor *type, const char *text, int *ret)
{
	for (unsigned i = 0; i < type->n_values; i++) {
		if (strcasecmp(type->values[i].name, text) == 0) {
			*ret = type->values[i].value;
			return 0;
		}
	}
	return -1;
}

/* One value into the member (or the array element) at `at`. */
static int read_value(const ProtobufCFieldDescriptor *field, unsigned oid, const char *text, void *at,
                      struct arena *a)
{
	int64_t number;
	char *end;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = oid == OID_TIMESTAMPTZ ? rfc3339(text, a) : arena_strdup(a, text);
		return 0;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64: return read_int(text, INT64_MIN, INT64_MAX, at);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return read_int(text, 0, INT64_MAX, at);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		if (read_int(text, INT32_MIN, INT32_MAX, &number) < 0)
			return -1;
		*(int32_t *)at = (int32_t)number;
		return 0;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		if (read_int(text, 0, UINT32_MAX, &number) < 0)
			return -1;
		*(uint32_t *)at = (uint32_t)number;
		return 0;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = text[0] == 't';
		return (text[0] == 't' || text[0] == 'f') && !text[1] ? 0 : -1;
	case PROTOBUF_C_TYPE_DOUBLE: *(double *)at = strtod(text, &end); return end == text || *end ? -1 : 0;
	case PROTOBUF_C_TYPE_FLOAT: *(float *)at = strtof(text, &end); return end == text || *end ? -1 : 0;
	case PROTOBUF_C_TYPE_ENUM: return read_enum(field->descriptor, text, at);
	case PROTOBUF_C_TYPE_BYTES: return read_bytes(text, strlen(text), at, a);
	case PROTOBUF_C_TYPE_MESSAGE: return -1; /* a row is flat */
	}
	return -1;
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE: return 8;
	default: return 4;
	}
}

/*
 * The next element of '{a,"b \"c\"",NULL}' as PostgreSQL writes it (manual 8.15.6), unquoted in place.
 * Returns what follows it, or NULL when the text is not of that form. *ret is NULL for NULL.
 */
static char *next_element(char *at, char **ret)
{
	bool quoted = *at == '"';
	char *out = at;

	*ret = at;
	if (quoted)
		at++;
	while (*at && (quoted ? *at != '"' : *at != ',' && *at != '}')) {
		if (*at == '\\' && at[1])
			at++;
		*out++ = *at++;
	}
	if (quoted && *at++ != '"')
		return NULL;
	if (*at != ',' && *at != '}')
		return NULL;
	if (!quoted && out - *ret == 4 && memcmp(*ret, "NULL", 4) == 0)
		*ret = NULL;
	if (*at == '}') {
		*out = '\0';
		return at[1] ? NULL : at + 1;
	}
	*out = '\0';
	return at + 1;
}

static size_t most_elements(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

static int read_array(const ProtobufCFieldDescriptor *field, const char *text, ProtobufCMessage *msg,
                      struct arena *a)
{
	size_t size = element_size(field), count = 0;
	char *at = arena_strdup(a, text), *element, *array;

	if (*at++ != '{')
		return -1;
	array = arena_array(a, size, most_elements(text));
	if (strcmp(at, "}") == 0)
		at = (char *)"";
	while (at && *at) {
		at = next_element(at, &element);
		if (!at || !element || read_value(field, 0, element, array + count++ * size, a) < 0)
			return -1; /* a message has no NULL among its elements */
	}
	if (!at)
		return -1;
	MEMBER(msg, field->quantifier_offset, size_t) = count;
	MEMBER(msg, field->offset, void *) = array;
	return 0;
}

/* The field of each column. */
struct columns {
	int count;
	const ProtobufCFieldDescriptor *fields[MOST_COLUMNS];
};

static int match_columns(const PGresult *res, const ProtobufCMessageDescriptor *type, struct columns *columns,
                         struct error *err)
{
	columns->count = PQnfields(res);
	assert(columns->count <= MOST_COLUMNS);
	for (int c = 0; c < columns->count; c++) {
		columns->fields[c] = protobuf_c_message_descriptor_get_field_by_name(type, PQfname(res, c));
		if (!columns->fields[c])
			return error_internal(err, "db: %s has no field for column %s", type->name,
			                      PQfname(res, c));
	}
	return 0;
}

static int read_cell(const PGresult *res, int row, int c, const ProtobufCFieldDescriptor *field,
                     ProtobufCMessage *msg, struct arena *a)
{
	const char *text = PQgetvalue(res, row, c);

	assert(field);
	if (PQgetisnull(res, row, c))
		return 0;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_array(field, text, msg, a);
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset)
		MEMBER(msg, field->quantifier_offset, protobuf_c_boolean) = 1;
	return read_value(field, PQftype(res, c), text, (char *)msg + field->offset, a);
}

static int fill(const PGresult *res, int row, const struct columns *columns, ProtobufCMessage *msg,
                struct arena *a, struct error *err)
{
	for (int c = 0; c < columns->count; c++) {
		if (read_cell(res, row, c, columns->fields[c], msg, a) < 0)
			return error_internal(err, "db: column %s does not fit its field", PQfname(res, c));
	}
	return 0;
}

int db_row(const PGresult *res, int row, ProtobufCMessage *msg, struct arena *a, struct error *err)
{
	struct columns columns = { 0 };

	if (match_columns(res, msg->descriptor, &columns, err) < 0)
		return -1;
	return fill(res, row, &columns, msg, a, err);
}

int db_rows(const PGresult *res, const ProtobufCMessageDescriptor *type, size_t *n, void *ret_array,
            struct arena *a, struct error *err)
{
	int count = PQntuples(res);
	ProtobufCMessage **array = arena_new(a, ProtobufCMessage *, (size_t)count);
	struct columns columns = { 0 };

	if (match_columns(res, type, &columns, err) < 0)
		return -1;
	for (int row = 0; row < count; row++) {
		array[row] = arena_alloc(a, type->sizeof_message);
		protobuf_c_message_init(type, array[row]);
		if (fill(res, row, &columns, array[row], a, err) < 0)
			return -1;
	}
	*n = (size_t)count;
	*(ProtobufCMessage ***)ret_array = array;
	return 0;
}

/* --- Single cells ------------------------------------------------------------------------------------------------ */

static int column_of(const PGresult *res, const char *column)
{
	int c = PQfnumber(res, column);

	assert(c >= 0); /* the store asks for a column that its own statement lacks */
	return c;
}

const char *db_text(const PGresult *res, int row, const char *column)
{
	int c = column_of(res, column);

	return PQgetisnull(res, row, c) ? NULL : PQgetvalue(res, row, c);
}

int64_t db_int(const PGresult *res, int row, const char *column)
{
	const char *text = db_text(res, row, column);

	return text ? strtoll(text, NULL, 10) : 0;
}

ProtobufCBinaryData db_bytes(const PGresult *res, int row, const char *column, struct arena *a)
{
	int c = column_of(res, column);
	ProtobufCBinaryData bytes = { 0 };

	if (!PQgetisnull(res, row, c))
		read_bytes(PQgetvalue(res, row, c), (size_t)PQgetlength(res, row, c), &bytes, a);
	return bytes;
}

int64_t db_affected(const PGresult *res)
{
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return PQntuples(res);
	return strtoll(PQcmdTuples((PGresult *)res), NULL, 10); /* libpq reads it only */
}

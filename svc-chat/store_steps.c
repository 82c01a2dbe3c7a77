#include "svc-chat/store_steps.h"

#include <string.h>

#include "common/rpc/envelope.h"

bool step_is(const struct tool_step *call, const char *state)
{
	return strcmp(call->state, state) == 0;
}

ProtobufCBinaryData step_pack(const ProtobufCMessage *m, struct arena *a)
{
	ProtobufCBinaryData packed = { .len = protobuf_c_message_get_packed_size(m) };

	packed.data = arena_alloc(a, packed.len + 1);
	protobuf_c_message_pack(m, packed.data);
	return packed;
}

ProtobufCBinaryData step_pack_call(const struct tool_step *call, struct arena *a)
{
	Chat__ToolCallList list = CHAT__TOOL_CALL_LIST__INIT;
	Chat__ToolCall *one = call->call;

	list.calls = &one;
	list.n_calls = 1;
	return step_pack(&list.base, a);
}

void *step_unpack(const PGresult *res, int row, const char *column, const ProtobufCMessageDescriptor *type,
                  struct arena *a)
{
	ProtobufCAllocator allocator = arena_allocator(a);
	ProtobufCBinaryData packed = db_bytes(res, row, column, a);

	return protobuf_c_message_unpack(type, &allocator, packed.len, packed.data);
}

int step_read(const PGresult *res, int row, struct tool_step *ret, struct arena *a, struct error *err)
{
	Chat__ToolCallList *list = step_unpack(res, row, "content", &chat__tool_call_list__descriptor, a);

	*ret = (struct tool_step){
		.number = (int)db_int(res, row, "number"),
		.round = (int)db_int(res, row, "round"),
		.state = arena_strdup(a, db_text(res, row, "state")),
		.detail = step_unpack(res, row, "detail", &chat__tool_detail__descriptor, a),
		.result = arena_strdup(a, db_text(res, row, "result")),
	};
	if (!list || list->n_calls != 1 || !ret->detail)
		return error_internal(err, "a stored call of a tool cannot be read");
	ret->call = list->calls[0];
	return 0;
}

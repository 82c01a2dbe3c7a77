#include "svc-chat/turn/retrieve.h"

#include "auth.client.h"
#include "chat.methods.h"
#include "chatbots.client.h"
#include "common/base/clock.h"
#include "common/rpc/envelope.h"
#include "svc-chat/bots.h"
#include "svc-chat/state.h"

enum { LOOK_UP_MS = 20 * 1000, OWNER_MS = 1000 };

struct call retrieve_nearer(const struct call *call)
{
	struct call near = *call;
	int64_t deadline = clock_unix_ms() + LOOK_UP_MS;

	if (call->task || deadline < near.deadline) /* a step of a turn may have waited for somebody */
		near.deadline = deadline;
	return near;
}

struct call retrieve_call_for(const struct call *call, const char *owner_id)
{
	struct call acting = *call;
	Rpc__Caller *caller = arena_new(call->arena, Rpc__Caller, 1);

	rpc__caller__init(caller);
	caller->has_kind = true;
	caller->kind = RPC__CALLER__KIND__SERVICE;
	caller->owner_id = arena_strdup(call->arena, owner_id);
	caller->ip = call->caller->ip;
	acting.caller = caller;
	acting.owner_id = caller->owner_id;
	return acting;
}

int retrieve_chatbot(struct call *call, const char *id, Chatbots__FoundChatbot **ret)
{
	Chatbots__ChatbotRequest request = CHATBOTS__CHATBOT_REQUEST__INIT;
	const struct chat *chat = chat_state(call);
	struct call near = retrieve_nearer(call);
	uint64_t seen;

	if (bots_find(chat->bots, call->owner_id, id, ret, &seen, call->arena))
		return 0;
	request.chatbot_id = (char *)id;
	if (chatbots_client_find_chatbot(chat->chatbots, &near, &request, ret) < 0)
		return -1;
	bots_keep(chat->bots, *ret, seen);
	return 0;
}

Chatbots__FoundChatbot *retrieve_copy(const Chatbots__FoundChatbot *bot, struct arena *a)
{
	size_t size = chatbots__found_chatbot__get_packed_size(bot);
	uint8_t *packed = arena_alloc(a, size + 1);
	ProtobufCAllocator allocator = arena_allocator(a);

	chatbots__found_chatbot__pack(bot, packed);
	return chatbots__found_chatbot__unpack(&allocator, size, packed);
}

int retrieve_open_owner(struct call *call)
{
	const struct chat *chat = call->state;
	Rpc__Empty nothing = RPC__EMPTY__INIT, *answer;
	struct call ask = *call;
	struct error err = { 0 };
	int64_t deadline = clock_unix_ms() + OWNER_MS;

	ask.err = &err;
	if (deadline < ask.deadline)
		ask.deadline = deadline;
	if (auth_client_check_owner(chat->auth, &ask, &nothing, &answer) == 0 || err.code != ERROR_FORBIDDEN)
		return 0;
	return error_set(call->err, err.code, "%s", err.message);
}

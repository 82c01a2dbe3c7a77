#include "svc-documents/tell.h"

#include <string.h>

#include "common/base/text.h"
#include "common/job/event.h"
#include "common/json/json.h"
#include "common/json/json_write.h"
#include "shapes.h"
#include "svc-documents/store.h"

/* What was deleted before it could be told is told to nobody. */
int tell_event(struct call *call, const struct job *job)
{
	Documents__Document document = DOCUMENTS__DOCUMENT__INIT;
	OWN(json) json_object *payload = NULL;
	struct text data;
	const char *id;
	int found;

	if (json_parse(job->payload, strlen(job->payload), &payload, call->err) < 0)
		return -1;
	id = json_string(payload, "document");
	if (!id)
		return error_internal(call->err, "event: an odd payload: %s", job->payload);
	found = store_get(call->db, job->owner_id, id, &document, call->arena, call->err);
	if (found <= 0)
		return found;
	text_init(&data, call->arena);
	text_adds(&data, "{\"document\":");
	json_from_message(&data, &shape_documents__document, &document.base);
	text_addc(&data, '}');
	return event_tell(call, job,
	                  &(struct event_words){ .name = json_string(payload, "event"), .data = data.at });
}

/* What is under way, from its first step to its last; and waiting for it, where there is a thread to wait with. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/thread.h"
#include "svc-chat/mcp/internal.h"

/* --- Going on ------------------------------------------------------------------------------------------------------------- */

bool mcp_fail(struct mcp *m)
{
	m->wire->result = -1;
	m->wire->step = NULL;
	return false;
}

bool mcp_done(struct mcp *m)
{
	m->wire->result = 0;
	m->wire->step = NULL;
	return false;
}

void mcp_wake_at(struct mcp *m, int64_t when)
{
	if (!m->until || when < m->until)
		m->until = when;
}

struct mcp_wire *mcp_begin(struct mcp *m, mcp_step *step)
{
	struct mcp_wire *w = m->wire;

	if (!w) {
		w = m->wire = calloc(1, sizeof *w);
		if (!w)
			abort();
		w->main.m = w->side.m = m;
	}
	json_object_put(m->result);
	m->result = NULL;
	m->pause = (struct mcp_pause){ 0 };
	m->sent = false;
	w->result = 0;
	w->rounds = w->pages = 0;
	w->reopened = false;
	w->known = m->version != NULL;
	w->step = step;
	return w;
}

/* Who asked does not wait any more: the server need not work on. */
static void tell_cancelled(struct mcp *m)
{
	OWN(json) json_object *message = NULL;
	json_object *params;

	if (!m->sent || m->era == MCP_STATELESS || m->wire->id < 0)
		return; /* then closing its stream says so */
	params = json_object_new_object();
	json_object_object_add(params, "requestId", json_object_new_int64(m->wire->id));
	json_object_object_add(params, "reason",
	                       json_object_new_string("nobody waits for the answer any more"));
	message = mcp_notification("notifications/cancelled", params);
	mcp_tell(m, message);
}

static int cancel(struct mcp *m, struct error *err)
{
	tell_cancelled(m);
	m->wire->step = NULL;
	mcp_source_end(&m->wire->main, 0);
	return m->wire->result = error_busy(err, 1, "cancelled");
}

int mcp_go_on(struct mcp *m, struct error *err)
{
	struct mcp_wire *w = m->wire;

	w->err = err;
	m->until = 0;
	if (w->step && m->cancelled && atomic_load(m->cancelled))
		return cancel(m, err);
	while (w->step)
		if (w->step(m))
			return 1;
	if (w->result < 0 && err->code == ERROR_UNKNOWN_OUTCOME && w->main.stream)
		tell_cancelled(m);
	mcp_source_end(&w->main, 0);
	return w->result;
}

void mcp_close(struct mcp *m)
{
	struct mcp_wire *w = m->wire;

	if (m->era == MCP_SESSIONS && m->session)
		mcp_delete_session(m); /* should that fail, it will forget us by itself */
	m->session = m->version = NULL;
	json_object_put(m->result);
	m->result = NULL;
	m->wire = NULL;
	if (!w)
		return;
	mcp_source_end(&w->main, 0);
	mcp_source_end(&w->side, 0);
	mcp_answer_done(&w->answer);
	mcp_answer_done(&w->refusal);
	for (struct mcp_held *one = w->held; one; one = one->next)
		json_object_put(one->request);
	json_object_put(w->params);
	json_object_put(w->kept);
	free(w);
}

/* --- Waiting with a thread -------------------------------------------------------------------------------------------------- */

void mcp_waiter_init(struct mcp_waiter *w)
{
	*w = (struct mcp_waiter){ .lock = PTHREAD_MUTEX_INITIALIZER };
	cond_init_monotonic(&w->come);
}

void mcp_waiter_done(struct mcp_waiter *w)
{
	pthread_cond_destroy(&w->come);
	pthread_mutex_destroy(&w->lock);
}

void mcp_waiter_wake(void *waiter)
{
	struct mcp_waiter *w = waiter;

	pthread_mutex_lock(&w->lock);
	w->woken = true;
	pthread_cond_signal(&w->come);
	pthread_mutex_unlock(&w->lock);
}

void mcp_waiter_wait(struct mcp_waiter *w, int64_t until)
{
	pthread_mutex_lock(&w->lock);
	while (!w->woken && (!until || clock_mono_ms() < until))
		(void)cond_wait_until(&w->come, &w->lock, until ? until : INT64_MAX);
	w->woken = false;
	pthread_mutex_unlock(&w->lock);
}

int mcp_wait(struct mcp *m, struct mcp_waiter *w, struct error *err)
{
	int more;

	while ((more = mcp_go_on(m, err)) > 0)
		mcp_waiter_wait(w, m->until);
	return more;
}

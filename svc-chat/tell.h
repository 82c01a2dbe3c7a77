/*
 * tell: events of conversations, for those who listen (common/job/event.h): message.created, answer.rated,
 * conversation.unanswered, conversation.handover. The stores add them with what happened (store_turns.c, messages.c); here is the job that puts
 * each into words: {chatbotId, message}, the question of an answer, and why it counts as unanswered; of a handover who it is
 * ({name, contact}), why, and what was said.
 */
#ifndef PARLEY_CHAT_TELL_H
#define PARLEY_CHAT_TELL_H

#include "common/job/job.h"

extern const struct job_kind tell_job;

#endif

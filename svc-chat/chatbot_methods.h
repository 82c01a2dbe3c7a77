/*
 * chatbot_methods: what the methods of a chatbot's MCP server have in common, between the files that have them.
 */
#ifndef PARLEY_CHAT_CHATBOT_METHODS_H
#define PARLEY_CHAT_CHATBOT_METHODS_H

#include "svc-chat/chatbot_server.h"

/* --- chatbot_server.c -------------------------------------------------------------------------------------------------- */

struct chatbot_served *chatbot_served_of(const struct served *r);
/* Another service of ours could not: the call's error, told. */
enum served_outcome chatbot_failed_inside(struct served *r);
void chatbot_add_string(struct text *out, const char *name, const char *value); /* ,"name":"value" */

/* --- chatbot_resources.c ----------------------------------------------------------------------------------------------- */

enum served_outcome chatbot_list_resources(struct served *r);
enum served_outcome chatbot_list_templates(struct served *r);
enum served_outcome chatbot_read_resource(struct served *r);

#endif

/*
 * store_webhook: the statements about events, the webhooks that hear of them, and what was sent.
 */
#ifndef PARLEY_INTEGRATIONS_STORE_WEBHOOK_H
#define PARLEY_INTEGRATIONS_STORE_WEBHOOK_H

#include "svc-integrations/store.h"

extern const struct db_stmt store_webhook_statements[];

/* The webhooks of an owner that are switched on. */
int store_webhooks(struct db *db, const char *owner, struct integration_row **ret, size_t *count,
                   struct arena *a, struct error *err) CHECKED;
/* His websites and Slacks whose conversations go on to people. */
int store_handing_over(struct db *db, const char *owner, struct integration_row **ret, size_t *count,
                       struct arena *a, struct error *err) CHECKED;

/* Addresses that conversations are mailed to (handover/consent.h), in small letters. */
enum address_wish { ADDRESS_SAYS_NOTHING, ADDRESS_AGREES, ADDRESS_REFUSES };
int store_address_wish(struct db *db, const char *owner, const char *address, enum address_wish *ret,
                       struct error *err) CHECKED;
/* 1 it is to be asked; 0 it was asked within so many days, or has said what it wants; -1. */
int store_ask_address(struct db *db, const char *owner, const char *address, int days,
                      struct error *err) CHECKED;
/* confirm: 1, 0: it is asked no more; -1. */
int store_confirm_address(struct db *db, const char *owner, const char *address, struct error *err) CHECKED;
int store_refuse_address(struct db *db, const char *owner, const char *address, struct error *err) CHECKED;
int store_forget_address(struct db *db, const char *owner, const char *address, struct error *err) CHECKED;
/* No integration of his says either of these any more. */
int store_end_detail(struct db *db, const char *owner, const char *detail, const char *other,
                     struct error *err) CHECKED;
/* All that hand over to that address say so, but for those that say what is wrong with them. */
int store_tell_handing_to(struct db *db, const char *owner, const char *address, const char *detail,
                          struct error *err) CHECKED;
/* What waits to be mailed is looked at now. */
int store_hurry_handovers(struct db *db, const char *owner, struct error *err) CHECKED;

/* 1 new, 0 there is one of that id, -1. */
int store_add_delivery(struct db *db, const char *owner, const char *integration, const char *id,
                       const char *event, const char *body, struct error *err) CHECKED;
int store_list_deliveries(struct db *db, const char *owner, const char *integration, const char *cursor,
                          int limit, Integrations__DeliveryList *out, struct arena *a,
                          struct error *err) CHECKED;
/* 1, 0: there is none, -1. */
int store_get_delivery(struct db *db, const char *owner, const char *integration, const char *id,
                       Integrations__Delivery *out, struct arena *a, struct error *err) CHECKED;
/* From the start again. */
int store_repeat_delivery(struct db *db, const char *owner, const char *integration, const char *id,
                          struct error *err) CHECKED;

/* What came of an attempt. pause: seconds until the next, -1: it is over; error NULL: it was taken. */
struct delivery_end {
	const char *owner, *integration, *id, *error;
	int status; /* HTTP; 0: there was no answer */
	int64_t pause;
};
int store_end_attempt(struct db *db, const struct delivery_end *end, struct error *err) CHECKED;
/* 1: something was delivered since that one was made. */
int store_delivered_since(struct db *db, const char *owner, const char *integration, const char *id,
                          struct error *err) CHECKED;
/* Drops what is older than 30 days, whoever's it is. */
int store_sweep_deliveries(struct db *db, struct error *err) CHECKED;

#endif

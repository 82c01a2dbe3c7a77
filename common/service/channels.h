/* channels: on which services tell each other that something has changed (NOTIFY; db_listen() hears it). */
#ifndef PARLEY_CHANNELS_H
#define PARLEY_CHANNELS_H

/* A chatbot's id when it changed, or an owner's when documents of his went: whoever has kept a chatbot reads it anew. */
#define CHANNEL_CHATBOTS "parley_chatbots"

#endif

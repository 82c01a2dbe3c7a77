/*
 * per_thread: an object of its own for each thread that asks, for what costs too much to make each time: a cipher.
 *
 *	PER_THREAD(mac_context, EVP_MAC_CTX, make_mac, EVP_MAC_CTX_free)
 *
 * defines  EVP_MAC_CTX *mac_context(void),  which makes it at the thread's first call and frees it when the thread ends. A
 * process that cannot make one has no memory: it aborts.
 */
#ifndef PARLEY_PER_THREAD_H
#define PARLEY_PER_THREAD_H

#include <pthread.h>
#include <stdlib.h>

/* clang-format off */
#define PER_THREAD(NAME, TYPE, MAKE, FREE)                                  \
	static pthread_once_t NAME##_once = PTHREAD_ONCE_INIT;              \
	static pthread_key_t NAME##_key;                                    \
	static void NAME##_free(void *object)                               \
	{                                                                   \
		FREE((TYPE *)object);                                       \
	}                                                                   \
	static void NAME##_begin(void)                                      \
	{                                                                   \
		if (pthread_key_create(&NAME##_key, NAME##_free) != 0)      \
			abort();                                            \
	}                                                                   \
	static TYPE *NAME(void)                                             \
	{                                                                   \
		TYPE *object;                                               \
		pthread_once(&NAME##_once, NAME##_begin);                   \
		object = (TYPE *)pthread_getspecific(NAME##_key);           \
		if (!object) {                                              \
			object = MAKE();                                    \
			if (!object || pthread_setspecific(NAME##_key, object) != 0) \
				abort();                                    \
		}                                                           \
		return object;                                              \
	}
/* clang-format on */

#endif

/*
 * own: handles that a scope owns.
 *
 *	OWN(pgresult) PGresult *res = PQexec(...);    released when the scope ends
 *	*ret = TAKE(res);                             handed over: the caller's from now on
 *
 * OWN(kind) needs a function void own_release_kind(T **), made by OWN_DEFINE for one type.
 */
#ifndef PARLEY_OWN_H
#define PARLEY_OWN_H

#define OWN(kind) __attribute__((cleanup(own_release_##kind)))

#define OWN_DEFINE(kind, type, release)                     \
	static inline void own_release_##kind(type *handle) \
	{                                                   \
		if (*handle)                                \
			release(*handle);                   \
	}

#define TAKE(handle)                                  \
	__extension__({                               \
		__typeof__(handle) taken_ = (handle); \
		(handle) = NULL;                      \
		taken_;                               \
	})

#endif

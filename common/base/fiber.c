#include "common/base/fiber.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/base/thread.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* A stack, as the sanitizers know it. */
struct side {
	ucontext_t context;
	const void *bottom;
	size_t size;
	void *fake, *tsan;
};

struct fiber {
	struct side own, thread; /* thread: who started or resumed it */
	void *memory;            /* a page that faults, then the stack */
	size_t mapped;
	void (*run)(void *arg);
	void *arg;
	bool paused;
};

static _Thread_local struct fiber *current;

/* --- The sanitizers must be told of every change of stack ----------------------------------------------------------- */

static void leaves(struct side *from, struct side *to)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
#endif
#ifdef __SANITIZE_THREAD__
	from->tsan = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	(void)from;
	(void)to;
}

/* At the same place again; `other`: whoever was there meanwhile. */
static void is_back(struct side *from, struct side *other)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(from->fake, &other->bottom, &other->size);
#endif
	(void)from;
	(void)other;
}

static void tell_of(struct fiber *f)
{
#ifdef __SANITIZE_THREAD__
	f->own.tsan = __tsan_create_fiber(0);
#endif
	(void)f;
}

static void forget(struct fiber *f)
{
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(f->own.tsan);
#endif
	(void)f;
}

/* --- Changing stacks -------------------------------------------------------------------------------------------------- */

static void change(struct side *from, struct side *to)
{
	leaves(from, to);
	if (swapcontext(&from->context, &to->context) < 0)
		abort();
	is_back(from, to);
}

/* The bottom of every fiber's stack: one piece of work after the other. */
static void entry(void)
{
	struct fiber *f = current;

	is_back(&f->own, &f->thread); /* for the first time */
	for (;;) {
		f->run(f->arg);
		f->paused = false;
		change(&f->own, &f->thread);
	}
}

struct fiber *fiber_new(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct fiber *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->own.size = THREAD_STACK_SIZE;
	f->mapped = page + f->own.size;
	f->memory = mmap(NULL, f->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->memory == MAP_FAILED || mprotect(f->memory, page, PROT_NONE) < 0 ||
	    getcontext(&f->own.context) < 0) {
		fputs("no memory for a fiber\n", stderr);
		abort();
	}
	f->own.bottom = (char *)f->memory + page;
	f->own.context.uc_stack.ss_sp = (char *)f->memory + page;
	f->own.context.uc_stack.ss_size = f->own.size;
	tell_of(f);
	makecontext(&f->own.context, entry, 0);
	return f;
}

void fiber_free(struct fiber *f)
{
	if (!f)
		return;
	forget(f);
	munmap(f->memory, f->mapped);
	free(f);
}

bool fiber_start(struct fiber *f, void (*run)(void *arg), void *arg)
{
	f->run = run;
	f->arg = arg;
	return fiber_resume(f);
}

bool fiber_resume(struct fiber *f)
{
	current = f;
	change(&f->thread, &f->own);
	current = NULL;
	return f->paused;
}

bool fiber_here(void)
{
	return current != NULL;
}

void fiber_pause(void)
{
	struct fiber *f = current;

	f->paused = true;
	change(&f->own, &f->thread);
}

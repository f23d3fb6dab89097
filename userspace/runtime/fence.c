// SPDX-License-Identifier: MIT
/* Asynchronous runs: a thread for each session that ever submitted. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "runtime/interp.h"
#include "runtime/session.h"

/*
 * The run's side and the caller's side each hold a reference: either may be
 * done with it first.
 */
struct joule_fence {
	atomic_int refs;
	struct joule_session *session;
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	bool done;
	atomic_bool cancelled;
	int result;
};

struct joule_worker {
	struct joule_session *session;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct joule_fence *fence; /* of the run to start */
	bool stop;
};

static void fence_unref(struct joule_fence *f)
{
	if (atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	pthread_cond_destroy(&f->done_cond);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static void fence_signal(struct joule_fence *f, int result)
{
	pthread_mutex_lock(&f->lock);
	f->result = result;
	f->done = true;
	/* Before anyone can see that it is done; a late cancel must not hit the next run. */
	atomic_store(&f->session->busy, false);
	pthread_cond_broadcast(&f->done_cond);
	pthread_mutex_unlock(&f->lock);
	fence_unref(f);
}

static void *worker_main(void *arg)
{
	struct joule_worker *w = arg;

	for (;;) {
		struct joule_fence *f;
		int ret;

		pthread_mutex_lock(&w->lock);
		while (!w->fence && !w->stop)
			pthread_cond_wait(&w->wake, &w->lock);
		f = w->fence;
		w->fence = NULL;
		pthread_mutex_unlock(&w->lock);
		if (!f)
			return NULL;
		ret = atomic_load(&f->cancelled) ? -ECANCELED : joule_session_execute(w->session);
		fence_signal(f, ret);
	}
}

static struct joule_worker *worker_create(struct joule_session *session)
{
	struct joule_worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return NULL;
	w->session = session;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	if (err) {
		joule_err(session->log, -err, "cannot start a thread for the session");
		pthread_cond_destroy(&w->wake);
		pthread_mutex_destroy(&w->lock);
		free(w);
		return NULL;
	}
	return w;
}

void joule_worker_destroy(struct joule_worker *worker)
{
	if (!worker)
		return;
	/* A run under way ends at its next check. */
	atomic_store(&worker->session->cancelled, true);
	pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

static struct joule_fence *fence_create(struct joule_session *session)
{
	struct joule_fence *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;

	if (!f)
		return NULL;
	atomic_init(&f->refs, 2);
	f->session = session;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->done_cond, &attr);
	pthread_condattr_destroy(&attr);
	return f;
}

int joule_session_submit(struct joule_session *session, struct joule_fence **out)
{
	struct joule_fence *f;
	bool idle = false;

	*out = NULL;
	if (!atomic_compare_exchange_strong(&session->busy, &idle, true))
		return joule_err(session->log, -EBUSY, "%s: a run is under way",
				 session->model->graph->file);
	if (!session->worker)
		session->worker = worker_create(session);
	f = session->worker ? fence_create(session) : NULL;
	if (!f) {
		atomic_store(&session->busy, false);
		return joule_err_nomem(session->log, "fence");
	}
	atomic_store(&session->cancelled, false);
	session->deadline_ns = 0;
	pthread_mutex_lock(&session->worker->lock);
	session->worker->fence = f;
	pthread_cond_signal(&session->worker->wake);
	pthread_mutex_unlock(&session->worker->lock);
	*out = f;
	return 0;
}

int joule_fence_wait(struct joule_fence *fence, uint64_t timeout_ns)
{
	uint64_t end = joule_now_ns() + timeout_ns;
	struct timespec until;
	int ret = 0;

	if (timeout_ns > UINT64_MAX / 4)
		timeout_ns = 0;
	until.tv_sec = (time_t)(end / 1000000000u);
	until.tv_nsec = (long)(end % 1000000000u);
	pthread_mutex_lock(&fence->lock);
	while (!fence->done && !ret)
		ret = timeout_ns ? pthread_cond_timedwait(&fence->done_cond, &fence->lock, &until) :
				   pthread_cond_wait(&fence->done_cond, &fence->lock);
	ret = fence->done ? fence->result : -ETIME;
	pthread_mutex_unlock(&fence->lock);
	return ret;
}

void joule_fence_cancel(struct joule_fence *fence)
{
	atomic_store(&fence->cancelled, true);
	pthread_mutex_lock(&fence->lock);
	/* The session may be gone, or running something else, once this is done. */
	if (!fence->done)
		atomic_store(&fence->session->cancelled, true);
	pthread_mutex_unlock(&fence->lock);
}

void joule_fence_destroy(struct joule_fence *fence)
{
	if (fence)
		fence_unref(fence);
}

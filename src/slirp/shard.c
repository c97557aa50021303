/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/shard.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "slirp/dns_cache.h"
#include "slirp/move.h"
#include "slirp/protocols.h"
#include "slirp/reassembly.h"
#include "slirp/shard_internal.h"
#include "slirp/tsan.h"
#include "slirp/udp_filter.h"

/*
 * Theory of operation
 *
 * One thread, one loop; a pass is a turn, in the order that shard.h gives. What
 * makes a transaction slow is being woken, so a turn does all that it can
 * before it sleeps: frames first, then sockets that became ready, then what
 * follows from both, in rounds; the guest is signalled once, and only then
 * come the things that nobody waits for (closing, new sockets).
 *
 * Where it may, it spins for a short while before it sleeps (shard_poll.c).
 * Before it sleeps the shard arms the port (which says if work came in
 * meanwhile) and goes RCU-offline. Whoever gives it work while it sleeps
 * writes to an eventfd that the engine watches: the port's kick, or wake_fd.
 *
 * Limits: a turn takes at most SHARD_FRAMES_MAX frames and SHARD_EVENTS_MAX
 * events, so that neither starves the other.
 */

#define SLEEP_MAX_US 1000000 /* a lost wake-up would cost this at the most */

struct shard_counters *shard_counters(struct shard *shard)
{
	return &shard->counters;
}

const struct slirp_config *shard_config(const struct shard *shard)
{
	return &shard->slirp->config;
}

uint64_t shard_now_ms(const struct shard *shard)
{
	return shard->now_us / 1000;
}

uint64_t shard_now_us(const struct shard *shard)
{
	return shard->now_us;
}

const struct port_features *shard_features(const struct shard *shard)
{
	return &shard->features;
}

unsigned int shard_index(const struct shard *shard)
{
	return shard->index;
}

unsigned int shard_input_queue(const struct shard *shard)
{
	return shard->input_queue;
}

struct resolvers *shard_resolvers(const struct shard *shard)
{
	return shard->resolvers;
}

struct dns_cache *shard_dns_cache(struct shard *shard)
{
	return shard->dns_cache;
}

struct udp_filter *shard_udp_filter(struct shard *shard)
{
	return shard->udp_filter;
}

struct timer_wheel *shard_timers(struct shard *shard)
{
	return &shard->timers;
}

struct engine *shard_engine(struct shard *shard)
{
	return shard->engine;
}

uint64_t shard_secret(const struct shard *shard, unsigned int which)
{
	return shard->slirp->secret[which % 4];
}

bool shard_first_notice(struct shard *shard, enum shard_notice notice)
{
	unsigned int *noticed = &shard->slirp->noticed, bit = 1U << notice;

	/* Orders nothing: only one may see the bit unset. All but the first
	 * only look, since this may be for each packet of a flood. */
	return !(__atomic_load_n(noticed, __ATOMIC_RELAXED) & bit) &&
	       !(__atomic_fetch_or(noticed, bit, __ATOMIC_RELAXED) & bit);
}

void shard_wake(struct shard *shard)
{
	uint64_t one = 1;
	ssize_t ret = write(shard->wake_fd, &one, sizeof(one));

	/* Fails only when the count is full, and then it is readable. */
	(void)ret;
}

uint64_t shard_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void shard_take_frames(struct shard *shard)
{
	struct port *port = shard->port;
	struct port_frame *frame;

	while (shard->frame_count < SHARD_FRAMES_MAX &&
	       handoff_has_room(shard)) {
		frame = &shard->frame[shard->frame_count];
		if (!port->ops->tx_take(port, frame))
			return;
		shard->frame_count++;
		SHARD_COUNT(shard, tx_frames, 1);
		SHARD_COUNT(shard, tx_bytes, frame->length);
		if (shard->pcap)
			pcap_note(shard, frame->iov, frame->iov_count,
				  frame->length, false);
		shard_make_room(shard);
		shard_input(shard, frame, shard->index);
	}
	shard->more = true;
}

static void shard_give_frames_back(struct shard *shard)
{
	for (unsigned int i = 0; i < shard->frame_count; i++)
		shard->port->ops->tx_done(shard->port, shard->frame[i].token);
	shard->frame_count = 0;
	handoff_release(shard);
	reassembly_release(shard->reassembly);
}

static void shard_flow_event(struct shard *shard,
			     const struct engine_event *event)
{
	struct flow *flow = flow_at(shard, (uint32_t)event->token,
				    event->token >> 32 & 0xffffff);

	if (!flow)
		return;
	/* An error is no answer. */
	if (!(event->ready & ENGINE_ERROR))
		flow_hear(shard, flow);
	shard_make_room(shard);
	flow->ops->event(shard, flow, event->ready);
}

static void shard_dispatch(struct shard *shard,
			   const struct engine_event *event)
{
	switch (event->token >> 56) {
	case TOKEN_FLOW:
		shard_flow_event(shard, event);
		break;
	case TOKEN_LISTENER:
		forward_accept(shard, (uint32_t)event->token);
		break;
	case TOKEN_KICK:
		SHARD_COUNT(shard, kicks, 1);
		break;
	default: /* a wake-up: the turn itself is the answer */
		break;
	}
}

static void shard_run_router(struct shard *shard)
{
	ndp_run_router(shard);
	timer_set(&shard->timers, &shard->router,
		  shard_now_ms(shard) + NDP_ROUTER_INTERVAL_MS);
}

static void shard_run_timer(struct shard *shard, struct timer *timer)
{
	struct flow *flow = caa_container_of(timer, struct flow, timer);

	if (timer == &shard->router) {
		shard_run_router(shard);
	} else if (timer == &shard->mover) {
		/* move_tidy() comes after the turn anyway. */
	} else if (timer == reassembly_timer(shard->reassembly)) {
		reassembly_expire(shard, shard->reassembly);
	} else {
		shard_make_room(shard);
		flow->ops->timer(shard, flow);
	}
}

static void shard_run_timers(struct shard *shard)
{
	struct timer *timer;

	while ((timer = timer_expire(&shard->timers, shard_now_ms(shard))))
		shard_run_timer(shard, timer);
}

/* Run what slirp_call_shard() asked for; no buffer of the port is held. */
static void shard_run_call(struct shard *shard)
{
	struct shard_call *call;

	/* Once in each turn, so the line is not written to for nothing. */
	if (!__atomic_load_n(&shard->call, __ATOMIC_RELAXED))
		return;
	/* Pairs with the release in slirp_call_shard(). */
	call = __atomic_exchange_n(&shard->call, NULL, __ATOMIC_ACQ_REL);
	call->call(call->context);
	shard->more = true;
	sem_post(&call->done);
}

static void shard_count_syscalls(struct shard *shard)
{
	uint64_t seen = engine_syscalls(shard->engine) + shard->port->syscalls;

	SHARD_COUNT(shard, syscalls, seen - shard->syscalls_seen);
	shard->syscalls_seen = seen;
}

/* What stays as it is for the whole turn. */
static void shard_look_around(struct shard *shard)
{
	struct port *port = shard->port;

	shard->now_us = shard_clock_us();
	poll_end(&shard->poll, shard->now_us);
	/* Pairs with the store in settings_set_resolvers(). */
	shard->resolvers =
		__atomic_load_n(&shard->slirp->resolvers, __ATOMIC_ACQUIRE);
	port->ops->features(port, &shard->features);
}

void shard_turn(struct shard *shard, const struct engine_event *event,
		unsigned int events)
{
	struct port *port = shard->port;

	shard->more = false;
	port->ops->disarm(port);
	shard_look_around(shard);
	handoff_receive(shard);
	shard_take_frames(shard);
	shard_run_batch(shard);
	for (unsigned int i = 0; i < events; i++)
		shard_dispatch(shard, &event[i]);
	forward_retry(shard);
	shard_run_stalled(shard);
	shard_run_batch(shard);
	shard_run_acks(shard);
	shard_run_timers(shard);
	if (shard->short_of_files)
		shard->short_of_files = !flow_evict(shard);
	shard_run_batch(shard);
	shard_run_acks(shard);
	shard_give_frames_back(shard);
	port->ops->flush(port);
	SHARD_COUNT(shard, turns, 1);
}

void shard_tidy(struct shard *shard)
{
	pool_refill(shard);
	flow_reclaim(shard);
	move_tidy(shard);
	forward_tidy(shard);
	shard_count_syscalls(shard);
	shard_run_call(shard);
}

/* Return: how long to wait for events, microseconds; 0 when there is work */
static int64_t shard_patience(struct shard *shard)
{
	int64_t next_ms = timer_next(&shard->timers, shard_now_ms(shard));

	if (shard->more && !handoff_has_room(shard)) {
		/* Frames stay in the ring until a hand-off buffer returns. */
		handoff_starve(shard);
		shard->more = handoff_has_room(shard);
	}
	if (shard->more || (next_ms != 0 && shard_poll(shard)))
		return 0;
	if (handoff_has_room(shard) && shard->port->ops->arm(shard->port))
		return 0;
	if (shard->port->ops->put_off(shard->port) && next_ms != 0)
		return PORT_PUT_OFF_US;
	if (next_ms >= 0 && next_ms < SLEEP_MAX_US / 1000)
		return next_ms * 1000;
	return SLEEP_MAX_US;
}

static unsigned int shard_wait(struct shard *shard, struct engine_event *event,
			       int64_t patience_us)
{
	unsigned int events;

	tsan_release(&shard->slirp->grace);
	if (patience_us == 0) {
		urcu_qsbr_quiescent_state();
		return engine_wait(shard->engine, event, SHARD_EVENTS_MAX, 0);
	}
	SHARD_COUNT(shard, waits, 1);
	urcu_qsbr_thread_offline();
	events = engine_wait(shard->engine, event, SHARD_EVENTS_MAX,
			     patience_us);
	urcu_qsbr_thread_online();
	/* Nothing came that would have made the interrupt needless. */
	if (!events && shard->port->ops->put_off(shard->port))
		shard->port->ops->settle(shard->port);
	return events;
}

static void shard_loop(struct shard *shard)
{
	struct engine_event event[SHARD_EVENTS_MAX];
	unsigned int events = 0;

	/* Pairs with the release in shard_stop(). */
	while (!__atomic_load_n(&shard->stop, __ATOMIC_ACQUIRE)) {
		shard_turn(shard, event, events);
		shard_tidy(shard);
		events = shard_wait(
			shard, event,
			forward_patience(shard, shard_patience(shard)));
	}
	shard_end(shard);
}

int shard_begin(struct shard *shard)
{
	int ret = engine_create(shard->slirp->config.engine, &shard->engine,
				&shard->start_fail);

	if (ret)
		return ret;
	shard_look_around(shard);
	timer_wheel_init(&shard->timers, shard_now_ms(shard));
	shard_begin_polling(shard);
	engine_watch(shard->engine, shard->port->ops->kick_fd(shard->port),
		     ENGINE_READABLE, TOKEN(TOKEN_KICK, 0));
	engine_watch(shard->engine, shard->wake_fd, ENGINE_READABLE,
		     TOKEN(TOKEN_WAKE, 0));
	pool_refill(shard);
	if (!shard->index && shard->slirp->config.ipv6)
		timer_set(&shard->timers, &shard->router,
			  shard_now_ms(shard) + NDP_ROUTER_INTERVAL_MS);
	return 0;
}

void shard_end(struct shard *shard)
{
	flow_abort_all(shard);
	shard_run_batch(shard);
	shard_run_acks(shard);
	shard_give_frames_back(shard);
	shard->port->ops->flush(shard->port);
	shard_run_call(shard);
	engine_destroy(shard->engine);
}

/* Return: 0, or -errno with @shard->start_fail filled */
static int shard_schedule(struct shard *shard)
{
	const struct sched_param param = { 0 };

	if (!shard->slirp->config.batch ||
	    !sched_setscheduler(0, SCHED_BATCH, &param))
		return 0;
	return fail_set(&shard->start_fail, -errno,
			"cannot make a shard SCHED_BATCH (%s): leave out "
			"sched=batch",
			strerror(errno));
}

static void *shard_main(void *context)
{
	struct shard *shard = context;

	switches_begin(&shard->switches);
	if (shard->place)
		shard->place_poll_us =
			shard->place(shard->place_context, shard->index);
	urcu_qsbr_register_thread();
	shard->start_result = shard_schedule(shard);
	if (!shard->start_result)
		shard->start_result = shard_begin(shard);
	if (!shard->start_result)
		forward_begin_all(shard);
	sem_post(&shard->start_done);
	if (!shard->start_result)
		shard_loop(shard);
	urcu_qsbr_unregister_thread();
	switches_end(&shard->switches);
	return NULL;
}

int shard_start(struct shard *shard, struct fail *fail)
{
	sigset_t all, before;
	int ret;

	sem_init(&shard->start_done, 0, 0);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&shard->thread, NULL, shard_main, shard);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret)
		return fail_set(fail, -ret,
				"cannot start a shard's thread (%s): raise "
				"the limit with ulimit -u",
				strerror(ret));
	while (sem_wait(&shard->start_done))
		;
	if (shard->start_result) {
		pthread_join(shard->thread, NULL);
		return fail_set(fail, shard->start_result, "%s",
				shard->start_fail.text);
	}
	shard->started = true;
	return 0;
}

void shard_stop(struct shard *shard)
{
	if (!shard->started)
		return;
	/* Pairs with the acquire in shard_loop(). */
	__atomic_store_n(&shard->stop, true, __ATOMIC_RELEASE);
	shard_wake(shard);
	pthread_join(shard->thread, NULL);
	shard->started = false;
}

/* What it keeps beside its flows. Without a cache it works all the same. */
static int shard_setup_memory(struct shard *shard, struct fail *fail)
{
	const struct slirp *slirp = shard->slirp;

	if (slirp->config.dns_cache)
		shard->dns_cache = dns_cache_create(slirp->secret);
	if (slirp->config.udp_filter != SLIRP_UDP_FILTER_OFF)
		shard->udp_filter = udp_filter_create(slirp->config.udp_filter,
						      slirp->secret);
	shard->reassembly = reassembly_create();
	if (shard->reassembly &&
	    (slirp->config.udp_filter == SLIRP_UDP_FILTER_OFF ||
	     shard->udp_filter))
		return 0;
	return fail_set(fail, -ENOMEM, "no memory for the guest's datagrams");
}

int shard_create(struct slirp *slirp, unsigned int index, struct port *port,
		 struct shard **out, struct fail *fail)
{
	struct shard *shard;
	int ret;

	if (posix_memalign((void **)&shard, CACHE_LINE, sizeof(*shard)))
		return fail_set(fail, -ENOMEM, "no memory for a shard");
	memset(shard, 0, sizeof(*shard));
	*out = shard;
	shard->slirp = slirp;
	shard->index = index;
	shard->port = port;
	shard->ack_last = &shard->ack_first;
	shard->stall_last = &shard->stall_first;
	shard->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (shard->wake_fd < 0)
		return fail_set(fail, -errno,
				"cannot create an eventfd (%s): raise the "
				"limit with ulimit -n",
				strerror(errno));
	ret = shard_setup_memory(shard, fail);
	if (!ret)
		ret = flow_setup(shard, fail);
	if (!ret)
		ret = handoff_setup(shard, fail);
	if (!ret)
		ret = move_setup(shard, fail);
	if (!ret)
		ret = pool_setup(shard, fail);
	return ret;
}

void shard_destroy(struct shard *shard)
{
	if (!shard)
		return;
	pool_teardown(shard);
	move_teardown(shard);
	handoff_teardown(shard);
	flow_teardown(shard);
	dns_cache_destroy(shard->dns_cache);
	udp_filter_destroy(shard->udp_filter);
	reassembly_destroy(shard->reassembly);
	if (shard->wake_fd >= 0)
		close(shard->wake_fd);
	free(shard);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "torture.h"

#define PAUSE_US 60000 /* longest from one listing to the next */
#define ROOM     100   /* flows in one answer */

/* When each flow was seen in a listing, microseconds from its beginning, by the
 * port that tells it; 0: not yet. */
struct listing {
	uint64_t start_us;
	uint32_t ours[65536];
	uint32_t theirs[2][65536];
	uint32_t udp[65536];
	uint32_t ping[2][65536];
	bool twice;
	struct slirp_flow again; /* if so: one that was there before */
};

static void watcher_note(struct listing *listing, const struct slirp_flow *flow)
{
	uint32_t now_us = (uint32_t)(torture_now_us() - listing->start_us);
	uint32_t *seen_us = &listing->ours[flow->guest.port];
	bool is6 = !address_is4(&flow->guest.address);

	if (flow->protocol == IPPROTO_UDP)
		seen_us = &listing->udp[flow->guest.port];
	else if (flow->protocol != IPPROTO_TCP)
		seen_us = &listing->ping[is6][flow->guest.port];
	else if (flow->guest.port == TORTURE_SERVER_PORT)
		seen_us = &listing->theirs[is6][flow->peer.port];
	/* One that has begun since then has the ports of one that is over. */
	if (!*seen_us || flow->age_ms * 1000 < now_us - *seen_us) {
		*seen_us = now_us;
		return;
	}
	listing->twice = true;
	listing->again = *flow;
}

/* Return: false if it took so long that flows did not wait for its end */
static bool watcher_list(struct torture *torture, struct listing *listing)
{
	struct slirp_flow_cursor at = { 0 };
	struct slirp_flow flow[ROOM];
	unsigned int count;

	memset(listing, 0, sizeof(*listing));
	listing->start_us = torture_now_us() - 1;
	while ((count = slirp_list_flows(torture->slirp, &at, flow, ROOM)))
		for (unsigned int i = 0; i < count; i++)
			watcher_note(listing, &flow[i]);
	torture->listings++;
	return torture_now_us() - listing->start_us < SLIRP_FLOWS_PATIENCE_US;
}

static void watcher_check_once(const struct torture *torture,
			       const struct listing *listing)
{
	const struct slirp_flow *flow = &listing->again;

	if (listing->twice)
		torture_fail(torture,
			     "protocol %u, port %u to %u is listed twice, "
			     "then with shard %u as %s",
			     flow->protocol, flow->guest.port, flow->peer.port,
			     flow->shard, flow->state);
}

/* What lived throughout a listing must be in it. */
static void watcher_check_residents(const struct torture *torture,
				    const struct listing *listing)
{
	for (unsigned int i = 0; i < torture->udp_flows;
	     i += TORTURE_UDP_RESIDENT)
		if (!listing->udp[TORTURE_UDP_FIRST + i])
			torture_fail(torture, "datagram flow %u is not listed",
				     i);
}

static bool watcher_all_begun(const struct torture *torture)
{
	return __atomic_load_n(&torture->udp_begun, __ATOMIC_ACQUIRE) ==
	       torture->udp_flows;
}

static void watcher_set_queues(struct torture *torture, unsigned int count)
{
	unsigned int before = torture->queues;

	/* The guest uses a queue pair between being given it and giving it
	 * back. */
	if (count > before)
		slirp_set_queues(torture->slirp, count);
	__atomic_store_n(&torture->queues, count, __ATOMIC_RELAXED);
	if (count < before)
		slirp_set_queues(torture->slirp, count);
}

static void watcher_pause(struct random *random)
{
	struct timespec pause = {
		.tv_nsec = random_below(random, PAUSE_US) * 1000L,
	};

	nanosleep(&pause, NULL);
}

void *watcher_main(void *context)
{
	static struct listing listing;
	struct torture *torture = context;
	struct random random = { torture->options.seed ^ 3 };
	unsigned int shards = torture->options.shards;
	bool begun;

	while (!torture_is(&torture->unwatched)) {
		watcher_pause(&random);
		if (random_below(&random, 4) == 0)
			watcher_set_queues(torture,
					   1 + random_below(&random, shards));
		else if (random_below(&random, 4) == 0)
			watcher_set_queues(torture, shards);
		begun = watcher_all_begun(torture);
		if (!watcher_list(torture, &listing))
			continue;
		watcher_check_once(torture, &listing);
		/* Later mappings may end. */
		if (begun && !torture_is(&torture->stopping))
			watcher_check_residents(torture, &listing);
	}
	return NULL;
}

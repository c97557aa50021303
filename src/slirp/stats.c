/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stddef.h>

#include "slirp/shard_internal.h"

struct stats_name {
	const char *name;
	size_t offset;
};

#define STATS_NAME(field)                                        \
	{                                                        \
		.name = #field,                                  \
		.offset = offsetof(struct shard_counters, field) \
	}

/* One a line, however many they are. */
/* clang-format off */
static const struct stats_name stats_names[] = {
	STATS_NAME(turns),
	STATS_NAME(waits),
	STATS_NAME(polls),
	STATS_NAME(poll_us),
	STATS_NAME(poll_won),
	STATS_NAME(kicks),
	STATS_NAME(tx_frames),
	STATS_NAME(tx_bytes),
	STATS_NAME(rx_frames),
	STATS_NAME(rx_bytes),
	STATS_NAME(tx_fragments),
	STATS_NAME(reassembled),
	STATS_NAME(reassembly_failed),
	STATS_NAME(tx_dropped),
	STATS_NAME(rx_dropped),
	STATS_NAME(rx_filtered),
	STATS_NAME(tx_malformed),
	STATS_NAME(tx_unsupported),
	STATS_NAME(rx_stalls),
	STATS_NAME(handoffs_out),
	STATS_NAME(handoffs_in),
	STATS_NAME(handoffs_full),
	STATS_NAME(flows_made),
	STATS_NAME(flows_ended),
	STATS_NAME(flows_refused),
	STATS_NAME(refused_limit),
	STATS_NAME(refused_rate),
	STATS_NAME(refused_full),
	STATS_NAME(flows_evicted),
	STATS_NAME(flows_moved_in),
	STATS_NAME(flows_moved_out),
	STATS_NAME(moves_refused),
	STATS_NAME(moves_put_off),
	STATS_NAME(moves_ended),
	STATS_NAME(accepts_delayed),
	STATS_NAME(policy_denied),
	STATS_NAME(tcp_flows),
	STATS_NAME(udp_flows),
	STATS_NAME(icmp_flows),
	STATS_NAME(tcp_retransmits),
	STATS_NAME(tcp_resets),
	STATS_NAME(dns_queries),
	STATS_NAME(dns_cache_hits),
	STATS_NAME(dns_cache_misses),
	STATS_NAME(operations),
	STATS_NAME(batches),
	STATS_NAME(syscalls),
};
/* clang-format on */

#define STATS_COUNT (sizeof(stats_names) / sizeof(stats_names[0]))

_Static_assert(STATS_COUNT * sizeof(uint64_t) == sizeof(struct shard_counters),
	       "every counter has a name");

static uint64_t stats_read(const struct shard *shard, size_t offset)
{
	const uint8_t *counters = (const uint8_t *)&shard->counters;

	/* Pairs with SHARD_COUNT(): a counter is whole, none waits for another.
	 */
	return __atomic_load_n((const uint64_t *)(counters + offset),
			       __ATOMIC_RELAXED);
}

#define STATS_READ(shard, field) \
	stats_read(shard, offsetof(struct shard_counters, field))

static uint64_t stats_live(const struct shard *shard)
{
	uint64_t come = STATS_READ(shard, flows_made) +
			STATS_READ(shard, flows_moved_in);
	uint64_t gone = STATS_READ(shard, flows_ended) +
			STATS_READ(shard, flows_moved_out);

	return come > gone ? come - gone : 0;
}

static void stats_print_shard(const struct shard *shard, FILE *out)
{
	fprintf(out, "{\"shard\":%u", shard->index);
	for (size_t i = 0; i < STATS_COUNT; i++)
		fprintf(out, ",\"%s\":%" PRIu64, stats_names[i].name,
			stats_read(shard, stats_names[i].offset));
	fprintf(out, ",\"flows_live\":%" PRIu64, stats_live(shard));
	switches_print(&shard->switches, out);
	fputs("}", out);
}

static void stats_print_forwards(const struct slirp *slirp, FILE *out)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	unsigned int count = slirp_forward_list(slirp, entry);
	char text[SLIRP_FORWARD_TEXT_MAX];

	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "%s\n{\"id\":%u,\"forward\":\"%s\"}", i ? "," : "",
			entry[i].id,
			slirp_forward_format(&entry[i].forward, text));
}

void slirp_print_stats(const struct slirp *slirp, FILE *out)
{
	fprintf(out, "{\"engine\":\"%s\",\"shards\":[",
		slirp->engine_name ? slirp->engine_name : "none");
	for (unsigned int i = 0; i < slirp->config.shard_count; i++) {
		fputs(i ? ",\n" : "\n", out);
		stats_print_shard(slirp->shard[i], out);
	}
	fputs("],\"forwards\":[", out);
	stats_print_forwards(slirp, out);
	fputs("]}", out);
}

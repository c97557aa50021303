/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "fuzz/nat.h"
#include "fuzz/world.h"
#include "slirp/dns_message.h"

/*
 * Target: the way of a query through the NAT, with two resolvers of which any
 * answer may come. An input is records: a query of the guest's, an answer, or
 * an instant of time.
 */

#define RESOLVERS 2
#define DNS_PORT  53

/* Kinds of records; all above are queries. */
enum {
	RECORD_TIME,
	RECORD_ANSWER,
	RECORD_PLAUSIBLE, /* an answer with id and question of the query */
};

/**
 * struct resolver - One that the NAT asks
 * @from:	Who asked last
 * @query:	What; @size is 0 if nobody did
 */
struct resolver {
	int sock;
	struct sockaddr_storage from;
	socklen_t from_size;
	uint8_t query[4096];
	size_t size;
};

static void resolver_begin(struct resolver *resolver,
			   struct slirp_endpoint *endpoint)
{
	resolver->sock = world_open(AF_INET, SOCK_DGRAM, 0);
	resolver->size = 0;
	*endpoint = (struct slirp_endpoint) {
		.address = address_from4(
			(struct in_addr) { htonl(INADDR_LOOPBACK) }),
		.port = world_port(resolver->sock),
	};
}

static void resolver_listen(struct resolver *resolver)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t size = recvfrom(resolver->sock, resolver->query,
				sizeof(resolver->query), MSG_DONTWAIT,
				(struct sockaddr *)&from, &length);

	if (size < 0)
		return;
	resolver->size = (size_t)size;
	resolver->from = from;
	resolver->from_size = length;
}

/* Header and question as in the query, then what the input says. */
static size_t make_plausible(const struct resolver *resolver,
			     const struct fuzz_input *record, uint8_t *answer)
{
	size_t keep = DNS_HEADER_SIZE, rest;

	if (resolver->size < DNS_HEADER_SIZE || record->left < keep)
		return 0;
	memcpy(answer, record->at, keep);
	memcpy(answer, resolver->query, 2);
	while (keep < resolver->size && resolver->query[keep])
		keep++;
	keep = keep + 5 < resolver->size ? keep + 5 : resolver->size;
	memcpy(answer + DNS_HEADER_SIZE, resolver->query + DNS_HEADER_SIZE,
	       keep - DNS_HEADER_SIZE);
	rest = record->left - DNS_HEADER_SIZE;
	memcpy(answer + keep, record->at + DNS_HEADER_SIZE, rest);
	return keep + rest;
}

static void resolver_answer(struct resolver *resolver, uint8_t kind,
			    const struct fuzz_input *record)
{
	uint8_t answer[UINT16_MAX + sizeof(resolver->query)];
	size_t size = record->left;

	resolver_listen(resolver);
	if (!resolver->size)
		return;
	if (kind == RECORD_PLAUSIBLE)
		size = make_plausible(resolver, record, answer);
	else
		memcpy(answer, record->at, size);
	(void)!sendto(resolver->sock, answer, size, MSG_DONTWAIT,
		      (struct sockaddr *)&resolver->from, resolver->from_size);
}

static void ask(struct nat *nat, uint8_t kind, struct fuzz_input *record)
{
	nat_transmit_datagram(nat, kind & 1, 3, (uint16_t)(1000 + kind / 64),
			      DNS_PORT, record->at, record->left);
}

static void run_record(struct nat *nat, struct resolver *resolver, uint8_t kind,
		       struct fuzz_input *record)
{
	switch (kind) {
	case RECORD_TIME:
		world_advance(fuzz_take16(record));
		break;
	case RECORD_ANSWER:
	case RECORD_PLAUSIBLE:
		resolver_answer(&resolver[fuzz_take8(record) % RESOLVERS], kind,
				record);
		break;
	default:
		ask(nat, kind, record);
	}
	nat_run(nat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size }, record;
	struct resolver resolver[RESOLVERS];
	struct slirp_config config;
	struct nat nat;
	uint8_t kind;

	nat_config_init(&config);
	config.resolver_count = RESOLVERS;
	for (unsigned int i = 0; i < RESOLVERS; i++)
		resolver_begin(&resolver[i], &config.resolver[i]);
	nat_begin(&nat, &config);
	while (fuzz_take_record(&input, &kind, &record))
		run_record(&nat, resolver, kind, &record);
	nat_end(&nat);
	for (unsigned int i = 0; i < RESOLVERS; i++)
		close(resolver[i].sock);
	return 0;
}

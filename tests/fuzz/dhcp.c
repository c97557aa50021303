/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/nat.h"
#include "fuzz/world.h"

/*
 * Target: what the guest asks by DHCP and DHCPv6. An input is the family and
 * the message.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct slirp_config config;
	struct nat nat;
	uint8_t is4;

	nat_config_init(&config);
	memcpy(config.hostname, "guest", 6);
	memcpy(config.search, "example.test lab.example.test", 30);
	nat_begin(&nat, &config);
	is4 = fuzz_take8(&input) & 1;
	nat_transmit_datagram(&nat, is4, 2, is4 ? 68 : 546, is4 ? 67 : 547,
			      input.at, input.left);
	nat_run(&nat);
	nat_end(&nat);
	return 0;
}

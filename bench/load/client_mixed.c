/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "client.h"

/*
 * What CRR waits for behind bulk data. The streams have threads of their own,
 * so that what is seen is the network's doing and not this program's.
 */
int mixed_run(const struct options *options)
{
	struct pattern *pattern = client_pattern();
	struct options bulk = *options;
	struct run runs[3];
	int status;

	bulk.flows = options->bulk;
	bulk.threads = 0;
	bulk.rate = 0;
	run_create(&runs[0], &client_crr, options, pattern);
	run_create(&runs[1], &client_up, &bulk, pattern);
	run_create(&runs[2], &client_down, &bulk, pattern);
	run_all(runs, 3);
	status = run_report("mixed", runs, 3);
	free(pattern);
	return status;
}

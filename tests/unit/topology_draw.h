/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TESTS_TOPOLOGY_DRAW_H
#define MQVMM_TESTS_TOPOLOGY_DRAW_H

#include "topology_command.h"
#include "topology_view.h"

/* Hosts and guests that between them have everything that is drawn */
struct topology_case {
	const char *host;  /* for fake_host_create() */
	const char *guest; /* the command's options */
};

#define TOPOLOGY_CASES 17

extern const struct topology_case topology_cases[TOPOLOGY_CASES];

/**
 * topology_draw() - What `mqvmm topology OPTIONS` prints
 * @root:	The host
 * @config:	Filled with what the options said
 *
 * Return: to be freed
 */
char *topology_draw(const char *root, const char *options,
		    struct topology_config *config);

/* What @function draws of a guest with cells of all kinds; to be freed */
char *topology_draw_cells(int (*function)(const struct topology_view *view,
					  FILE *out));

/* The host in @root, for topology_free() */
struct topology *topology_read_root(const char *root);

#endif

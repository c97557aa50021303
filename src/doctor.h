/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_DOCTOR_H
#define MQVMM_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

/**
 * struct doctor_finding - What one look at the host found
 * @good:	Nothing to complain of
 * @text:	For people: one line
 * @json:	For programs: a JSON value
 */
struct doctor_finding {
	bool good;
	char text[256];
	char json[256];
};

/**
 * struct doctor_check - One look at the host
 * @name:	What is looked at, as JSON key and as title
 * @required:	`mqvmm run` does not work without it
 * @look:	Fill the finding in; leaves nothing behind
 */
struct doctor_check {
	const char *name;
	bool required;
	void (*look)(struct doctor_finding *finding);
};

/* doctor_host.c: io_uring, sockets, limits, CPUs; ends with a NULL name */
extern const struct doctor_check doctor_host_checks[];

/* Fill in one finding; @json is a finished JSON value. */
void doctor_report(struct doctor_finding *finding, bool good, const char *json,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * doctor_run() - Look at everything and print it
 * @json:	As one JSON object instead of a line each
 *
 * Return: 0 where `mqvmm run` will work, 1 where it will not
 */
int doctor_run(bool json, FILE *out);

#endif

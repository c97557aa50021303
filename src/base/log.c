/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_line(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "mqvmm: %s\n", line);
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_s)
{
	if (now_s < limit->next_s) {
		limit->dropped++;
		return false;
	}
	limit->next_s = now_s + LOG_LIMIT_S;
	limit->dropped = 0;
	return true;
}

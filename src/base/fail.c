/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>

int fail_set(struct fail *fail, int err, const char *fmt, ...)
{
	va_list args;

	if (!fail || fail->text[0])
		return err;
	va_start(args, fmt);
	vsnprintf(fail->text, sizeof(fail->text), fmt, args);
	va_end(args);
	return err;
}

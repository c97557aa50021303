/* SPDX-License-Identifier: BSD-3-Clause */
#include "error.h"

#include <errno.h>

enum load_error load_error_of(int err)
{
	switch (-err) {
	case ECONNREFUSED:
		return LOAD_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return LOAD_RESET;
	case ETIMEDOUT:
		return LOAD_TIMEOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		return LOAD_UNREACHABLE;
	case EADDRNOTAVAIL:
	case EMFILE:
	case ENFILE:
		return LOAD_NO_PORT;
	case ENODATA:
		return LOAD_SHORT;
	case EBADMSG:
		return LOAD_WRONG;
	default:
		return LOAD_OTHER;
	}
}

const char *load_error_name(enum load_error kind)
{
	static const char *const names[LOAD_ERRORS] = {
		[LOAD_REFUSED] = "refused", [LOAD_RESET] = "reset",
		[LOAD_TIMEOUT] = "timeout", [LOAD_UNREACHABLE] = "unreachable",
		[LOAD_NO_PORT] = "no_port", [LOAD_SHORT] = "short",
		[LOAD_WRONG] = "wrong",     [LOAD_OTHER] = "other",
	};

	return names[kind];
}

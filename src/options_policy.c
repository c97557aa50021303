/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_policy.h"

#include <errno.h>
#include <string.h>

/* The values of --net that say what a guest may reach. */

int options_parse_allow(const char *value, struct slirp_config *slirp)
{
	return policy_add(&slirp->policy, true, value);
}

int options_parse_deny(const char *value, struct slirp_config *slirp)
{
	return policy_add(&slirp->policy, false, value);
}

int options_parse_default(const char *value, struct slirp_config *slirp)
{
	if (strcmp(value, "allow") != 0 && strcmp(value, "deny") != 0)
		return -EINVAL;
	slirp->policy.deny_rest = strcmp(value, "deny") == 0;
	return 0;
}

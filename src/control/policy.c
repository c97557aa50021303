/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "control/control_internal.h"

/* What the guest may reach. */

void policy_request_show(struct control *control, const cJSON *arguments,
			 struct reply *reply)
{
	struct slirp_policy policy;
	char *text = NULL;
	cJSON *value;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)arguments;
	if (!out)
		return;
	slirp_get_policy(control->config.slirp, &policy);
	policy_print(&policy, out);
	fclose(out);
	value = cJSON_CreateObject();
	cJSON_AddStringToObject(value, "policy", text);
	free(text);
	reply_value(reply, value);
}

void policy_request_set(struct control *control, const cJSON *arguments,
			struct reply *reply)
{
	struct slirp_policy policy = { 0 };
	struct fail fail = { 0 };
	const char *text;
	int ret;

	if (!argument_string(arguments, "policy", NULL, &text, reply))
		return;
	if (policy_parse(text, &policy, &fail)) {
		reply_error(reply, "%s", fail.text);
		return;
	}
	ret = slirp_set_policy(control->config.slirp, &policy);
	if (ret)
		reply_error(reply, "cannot set the policy (%s)",
			    strerror(-ret));
	else
		reply_value(reply, cJSON_CreateObject());
}

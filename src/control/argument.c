/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control_internal.h"

#define NUMBER_MAX 9007199254740992.0 /* 2^53: JSON's are doubles */

static const cJSON *argument_find(const cJSON *arguments, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(arguments, name);
}

bool argument_string(const cJSON *arguments, const char *name,
		     const char *otherwise, const char **value,
		     struct reply *reply)
{
	const cJSON *item = argument_find(arguments, name);

	*value = otherwise;
	if (cJSON_IsString(item))
		*value = item->valuestring;
	else if (item)
		reply_error(reply, "the argument '%s' is a string", name);
	else if (!otherwise)
		reply_error(reply, "the argument '%s' is missing", name);
	return !reply->text;
}

bool argument_bool(const cJSON *arguments, const char *name, bool otherwise,
		   bool *value, struct reply *reply)
{
	const cJSON *item = argument_find(arguments, name);

	*value = otherwise;
	if (cJSON_IsBool(item))
		*value = cJSON_IsTrue(item);
	else if (item)
		reply_error(reply, "the argument '%s' is true or false", name);
	return !reply->text;
}

bool argument_size(const cJSON *arguments, const char *name, uint64_t otherwise,
		   uint64_t *value, struct reply *reply)
{
	const cJSON *item = argument_find(arguments, name);

	*value = otherwise;
	if (cJSON_IsNumber(item) && item->valuedouble >= 0 &&
	    item->valuedouble <= NUMBER_MAX &&
	    (double)(uint64_t)item->valuedouble == item->valuedouble)
		*value = (uint64_t)item->valuedouble;
	else if (item)
		reply_error(reply,
			    "the argument '%s' is a whole number, 0 or "
			    "more",
			    name);
	return !reply->text;
}

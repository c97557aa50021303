/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control_internal.h"
#include "options_forward.h"

/* Forwards: opened, closed and listed while the guest runs. */

static cJSON *forward_to_json(const struct slirp_forward_entry *entry)
{
	char text[SLIRP_FORWARD_TEXT_MAX];
	cJSON *value = cJSON_CreateObject();

	cJSON_AddNumberToObject(value, "id", entry->id);
	cJSON_AddStringToObject(value, "forward",
				slirp_forward_format(&entry->forward, text));
	return value;
}

void forward_request_list(struct control *control, const cJSON *arguments,
			  struct reply *reply)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	unsigned int count = slirp_forward_list(control->config.slirp, entry);
	cJSON *value = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(value, "forwards");

	(void)arguments;
	for (unsigned int i = 0; i < count; i++)
		cJSON_AddItemToArray(list, forward_to_json(&entry[i]));
	reply_value(reply, value);
}

/* Return: false, with the reply, if there is no such forward in the text */
static bool forward_parse(const char *text, struct slirp_forward *forward,
			  struct reply *reply)
{
	struct fail fail = { 0 };

	if (!options_parse_forward(text, forward, &fail))
		return true;
	reply_error(reply, "'%s' is not possible: %s", text, fail.text);
	return false;
}

/* What became of it: the host may have chosen the port. */
static void forward_reply_entry(struct control *control, unsigned int id,
				struct reply *reply)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	unsigned int count = slirp_forward_list(control->config.slirp, entry);

	for (unsigned int i = 0; i < count; i++)
		if (entry[i].id == id)
			reply_value(reply, forward_to_json(&entry[i]));
}

void forward_request_add(struct control *control, const cJSON *arguments,
			 struct reply *reply)
{
	struct slirp_forward forward;
	struct fail fail = { 0 };
	const char *text;
	unsigned int id;

	if (!argument_string(arguments, "forward", NULL, &text, reply) ||
	    !forward_parse(text, &forward, reply))
		return;
	if (slirp_forward_add(control->config.slirp, &forward, &id, &fail))
		reply_error(reply, "%s", fail.text);
	else
		forward_reply_entry(control, id, reply);
}

/* Return: the number of the forward that listens there, 0 if there is none */
static unsigned int forward_find(struct control *control,
				 const struct slirp_forward *forward)
{
	struct slirp_forward_entry entry[SLIRP_FORWARDS_MAX];
	unsigned int count = slirp_forward_list(control->config.slirp, entry);

	for (unsigned int i = 0; i < count; i++)
		if (entry[i].forward.protocol == forward->protocol &&
		    entry[i].forward.count == forward->count &&
		    entry[i].forward.guest.port == forward->guest.port &&
		    endpoint_equal(&entry[i].forward.host, &forward->host))
			return entry[i].id;
	return 0;
}

void forward_request_remove(struct control *control, const cJSON *arguments,
			    struct reply *reply)
{
	struct slirp_forward forward;
	struct fail fail = { 0 };
	const char *text;
	uint64_t id;

	if (!argument_string(arguments, "forward", "", &text, reply) ||
	    !argument_size(arguments, "id", 0, &id, reply))
		return;
	if (!*text == !id) {
		reply_error(reply, "give either 'forward' or 'id'");
		return;
	}
	if (*text && !forward_parse(text, &forward, reply))
		return;
	if (*text)
		id = forward_find(control, &forward);
	if (!id || id > UINT32_MAX)
		reply_error(reply, "there is no such forward");
	else if (slirp_forward_remove(control->config.slirp, (unsigned int)id,
				      &fail))
		reply_error(reply, "%s", fail.text);
	else
		reply_value(reply, cJSON_CreateObject());
}

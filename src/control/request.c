/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_internal.h"

/*
 * A request is an object: {"execute":NAME,"arguments":{...}}. What is wrong
 * with one is said in a sentence, and changes nothing.
 */

#define ARGUMENTS_MAX 6
#define ERROR_MAX     512 /* bytes of a sentence */

/**
 * struct request - Something that can be asked for
 * @name:	As in "execute"
 * @network:	There must be a network
 * @arguments:	Those that it takes, ends with NULL
 * @run:	Answers it
 */
struct request {
	const char *name;
	bool network;
	const char *arguments[ARGUMENTS_MAX + 1];
	void (*run)(struct control *control, const cJSON *arguments,
		    struct reply *reply);
};

void reply_error(struct reply *reply, const char *fmt, ...)
{
	char text[ERROR_MAX];
	va_list args;
	FILE *out;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* What is quoted of a request may be no UTF-8, or cut. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
			*at = '?';
	out = open_memstream(&reply->text, &reply->size);
	if (!out)
		return;
	fputs("{\"error\":\"", out);
	for (const char *at = text; *at; at++) {
		if (*at == '"' || *at == '\\')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputs("\"}\n", out);
	fclose(out);
}

void reply_value(struct reply *reply, cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);
	FILE *out = text ? open_memstream(&reply->text, &reply->size) : NULL;

	if (out) {
		fprintf(out, "{\"return\":%s}\n", text);
		fclose(out);
	}
	cJSON_free(text);
	cJSON_Delete(value);
}

bool reply_continue(struct control *control, struct reply *reply)
{
	FILE *out;

	reply->sent = 0;
	out = open_memstream(&reply->text, &reply->size);
	if (!out)
		return false;
	if (!reply->more(control, reply, out))
		reply->more = NULL;
	return fclose(out) == 0;
}

static void request_stats(struct control *control, const cJSON *arguments,
			  struct reply *reply)
{
	FILE *out = open_memstream(&reply->text, &reply->size);
	char *at;

	(void)arguments;
	if (!out)
		return;
	fputs("{\"return\":", out);
	control->config.print_stats(control->config.context, out);
	fputs("}", out);
	fclose(out);
	/* One line: a newline in JSON is never within a string. */
	while ((at = strchr(reply->text, '\n')))
		*at = ' ';
	reply->text[reply->size++] = '\n';
}

static void request_flows(struct control *control, const cJSON *arguments,
			  struct reply *reply)
{
	(void)arguments;
	reply->more = flows_reply;
	reply_continue(control, reply);
}

static const struct request requests[] = {
	{ "stats", false, { NULL }, request_stats },
	{ "flows", true, { NULL }, request_flows },
	{ "forward-add", true, { "forward" }, forward_request_add },
	{ "forward-remove", true, { "forward", "id" }, forward_request_remove },
	{ "forward-list", true, { NULL }, forward_request_list },
	{ "policy-set", true, { "policy" }, policy_request_set },
	{ "policy-show", true, { NULL }, policy_request_show },
	{ "limits",
	  true,
	  { "tcp-flows", "udp-flows", "icmp-flows", "half-open", "flow-rate",
	    "flow-memory" },
	  limits_request },
	{ "pcap-start",
	  true,
	  { "file", "overwrite", "snap", "limit" },
	  pcap_request_start },
	{ "pcap-stop", true, { NULL }, pcap_request_stop },
};

#define REQUESTS (sizeof(requests) / sizeof(*requests))

static bool request_takes(const struct request *request, const char *name)
{
	for (const char *const *at = request->arguments; *at; at++)
		if (strcmp(*at, name) == 0)
			return true;
	return false;
}

static void request_dispatch(struct control *control,
			     const struct request *request,
			     const cJSON *arguments, struct reply *reply)
{
	const cJSON *argument;

	if (request->network && !control->config.slirp) {
		reply_error(reply, "there is no network");
		return;
	}
	cJSON_ArrayForEach(
		argument,
		arguments) if (!request_takes(request, argument->string))
	{
		reply_error(reply, "'%s' takes no argument '%s'", request->name,
			    argument->string);
		return;
	}
	request->run(control, arguments, reply);
}

static void request_execute(struct control *control, const char *name,
			    const cJSON *arguments, struct reply *reply)
{
	for (size_t i = 0; i < REQUESTS; i++)
		if (strcmp(requests[i].name, name) == 0) {
			request_dispatch(control, &requests[i], arguments,
					 reply);
			return;
		}
	reply_error(reply, "there is no request '%s'", name);
}

static void request_check(struct control *control, const cJSON *request,
			  struct reply *reply)
{
	const cJSON *execute =
		cJSON_GetObjectItemCaseSensitive(request, "execute");
	const cJSON *arguments =
		cJSON_GetObjectItemCaseSensitive(request, "arguments");
	int expected = 1 + (arguments != NULL);

	if (!cJSON_IsObject(request) || !cJSON_IsString(execute) ||
	    (arguments && !cJSON_IsObject(arguments)) ||
	    cJSON_GetArraySize(request) != expected)
		reply_error(reply, "a request is {\"execute\":NAME}, or "
				   "{\"execute\":NAME,\"arguments\":{...}}");
	else
		request_execute(control, execute->valuestring, arguments,
				reply);
}

void request_run(struct control *control, const char *line, size_t size,
		 struct reply *reply)
{
	cJSON *request = NULL;

	memset(reply, 0, sizeof(*reply));
	if (strlen(line) == size)
		request = cJSON_ParseWithOpts(line, NULL, true);
	if (request)
		request_check(control, request, reply);
	else
		reply_error(reply, "the request is not JSON");
	cJSON_Delete(request);
}

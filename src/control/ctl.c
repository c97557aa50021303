/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/ctl_internal.h"

static const char ctl_help[] =
	"Usage: mqvmm ctl [--json] SOCKET COMMAND\n"
	"\n"
	"Asks an mqvmm that was started with --control SOCKET.\n"
	"\n"
	"  stats             counters\n"
	"  flows             what the guest has open\n"
	"  forward add|remove FORWARD, forward list\n"
	"                    ports of the host's that lead into the guest, as\n"
	"                    --net hostfwd= takes them; remove takes a number too\n"
	"  policy set ITEM..., policy show\n"
	"                    what the guest may reach: allow=, deny= and default=\n"
	"                    as --net takes them, instead of all rules so far\n"
	"  limits [NAME=N]...\n"
	"                    change and tell what the guest may have: tcp-flows,\n"
	"                    udp-flows, icmp-flows, half-open, flow-rate,\n"
	"                    flow-memory\n"
	"  pcap start [--overwrite] [--snap BYTES] [--limit BYTES] FILE\n"
	"                    write frames to a pcapng file: no more than BYTES of\n"
	"                    each, and of the file\n"
	"  pcap stop         complete the file\n"
	"\n"
	"  --json            print the answer as it came\n"
	"\n"
	"Exit status: 0; 1 nobody answers, or the answer is no; 2 wrong input.\n";

/**
 * struct ctl_command - What can be asked
 * @words:	The command's own words
 * @execute:	The request's name
 * @take:	Makes its arguments of the words that follow
 * @print:	Writes its answer
 */
struct ctl_command {
	const char *words[2];
	const char *execute;
	int (*take)(int argc, char **argv, cJSON *arguments, struct fail *fail);
	void (*print)(const cJSON *value, FILE *out);
};

static const struct ctl_command commands[] = {
	{ { "stats" }, "stats", ctl_take_none, ctl_print_stats },
	{ { "flows" }, "flows", ctl_take_none, ctl_print_flows },
	{ { "forward", "add" },
	  "forward-add",
	  ctl_take_forward,
	  ctl_print_forward },
	{ { "forward", "remove" },
	  "forward-remove",
	  ctl_take_forward,
	  ctl_print_done },
	{ { "forward", "list" },
	  "forward-list",
	  ctl_take_none,
	  ctl_print_forwards },
	{ { "policy", "set" }, "policy-set", ctl_take_policy, ctl_print_done },
	{ { "policy", "show" },
	  "policy-show",
	  ctl_take_none,
	  ctl_print_policy },
	{ { "limits" }, "limits", ctl_take_limits, ctl_print_stats },
	{ { "pcap", "start" }, "pcap-start", ctl_take_capture, ctl_print_done },
	{ { "pcap", "stop" }, "pcap-stop", ctl_take_none, ctl_print_stats },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

/* Return: how many words of @argv are the command's own, 0 if it is another */
static int ctl_match(const struct ctl_command *command, int argc, char **argv)
{
	int words = 0;

	for (; words < 2 && command->words[words]; words++)
		if (words >= argc ||
		    strcmp(command->words[words], argv[words]) != 0)
			return 0;
	return words;
}

static const struct ctl_command *ctl_find(int argc, char **argv,
					  struct fail *fail)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (ctl_match(&commands[i], argc, argv))
			return &commands[i];
	fail_set(fail, -EINVAL,
		 "'%s%s%s' is not a command: see mqvmm ctl --help",
		 argc > 0 ? argv[0] : "", argc > 1 ? " " : "",
		 argc > 1 ? argv[1] : "");
	return NULL;
}

static int ctl_connect(const char *path, struct fail *fail)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (strlen(path) >= sizeof(address.sun_path))
		err = -ENAMETOOLONG;
	else if (sock < 0 ||
		 connect(sock, (struct sockaddr *)&address, sizeof(address)))
		err = -errno;
	if (!err)
		return sock;
	if (sock >= 0)
		close(sock);
	return fail_set(fail, err,
			"cannot reach %s (%s): give the SOCKET that mqvmm was "
			"started with, by --control SOCKET",
			path, strerror(-err));
}

static bool ctl_send(int sock, const char *text)
{
	size_t size = strlen(text);
	ssize_t ret;

	for (; size; text += ret, size -= (size_t)ret) {
		ret = send(sock, text, size, MSG_NOSIGNAL);
		if (ret <= 0)
			return false;
	}
	return true;
}

/* Return: the answer's line, from malloc(); NULL if none came */
static char *ctl_receive(int sock)
{
	FILE *in = fdopen(dup(sock), "re");
	char *line = NULL;
	size_t room = 0;

	if (!in)
		return NULL;
	if (getline(&line, &room, in) <= 0) {
		free(line);
		line = NULL;
	}
	fclose(in);
	return line;
}

/* Return: the answer, NULL if none came */
static cJSON *ctl_ask(int sock, const cJSON *request)
{
	char *text = cJSON_PrintUnformatted(request), *line = NULL;
	cJSON *answer = NULL;

	if (text && ctl_send(sock, text) && ctl_send(sock, "\n"))
		line = ctl_receive(sock);
	if (line)
		answer = cJSON_Parse(line);
	free(line);
	cJSON_free(text);
	return answer;
}

static int ctl_show(const struct ctl_command *command, const cJSON *answer,
		    bool json, struct fail *fail)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(answer, "return");
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
	char *text;

	if (cJSON_IsString(error))
		return fail_set(fail, -EPROTO, "%s", error->valuestring);
	if (!value)
		return fail_set(fail, -EPROTO,
				"no answer came: it is no control socket of "
				"mqvmm's, or mqvmm has ended");
	if (!json) {
		command->print(value, stdout);
		return 0;
	}
	text = cJSON_PrintUnformatted(value);
	if (!text)
		return fail_set(fail, -ENOMEM, "no memory for the answer");
	puts(text);
	cJSON_free(text);
	return 0;
}

static int ctl_execute(const char *path, const struct ctl_command *command,
		       const cJSON *request, bool json, struct fail *fail)
{
	int sock = ctl_connect(path, fail), ret;
	cJSON *answer;

	if (sock < 0)
		return sock;
	answer = ctl_ask(sock, request);
	ret = ctl_show(command, answer, json, fail);
	cJSON_Delete(answer);
	close(sock);
	return ret;
}

/* @argv: SOCKET COMMAND... */
static int ctl_command(int argc, char **argv, bool json, struct fail *fail)
{
	const struct ctl_command *command = ctl_find(argc - 1, argv + 1, fail);
	cJSON *request, *arguments;
	int words, ret;

	if (!command)
		return -EINVAL;
	words = ctl_match(command, argc - 1, argv + 1);
	request = cJSON_CreateObject();
	cJSON_AddStringToObject(request, "execute", command->execute);
	arguments = cJSON_AddObjectToObject(request, "arguments");
	ret = command->take(argc - 1 - words, argv + 1 + words, arguments,
			    fail);
	if (!ret)
		ret = ctl_execute(argv[0], command, request, json, fail);
	cJSON_Delete(request);
	return ret;
}

int ctl_run(int argc, char **argv, struct fail *fail)
{
	bool json = false;

	argv++, argc--;
	for (; argc > 0 && argv[0][0] == '-'; argv++, argc--) {
		if (strcmp(argv[0], "--help") == 0) {
			fputs(ctl_help, stdout);
			return 0;
		}
		if (strcmp(argv[0], "--json") != 0)
			return fail_set(fail, -EINVAL,
					"'%s' is not an option: see mqvmm ctl "
					"--help",
					argv[0]);
		json = true;
	}
	if (argc < 2)
		return fail_set(fail, -EINVAL,
				"a socket and a command are missing: see mqvmm "
				"ctl --help");
	return ctl_command(argc, argv, json, fail);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit/control_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/datagram.h"
#include "support/host.h"

static const struct timeval patience = { .tv_sec = RIG_WAIT_MS / 1000 };

static void print_stats(void *context, FILE *out)
{
	fputs("{\"slirp\":\n", out);
	slirp_print_stats(context, out);
	fputs("}\n", out);
}

int rig_start(struct rig *rig, const char *path, struct control **control,
	      struct fail *fail)
{
	const struct control_config config = {
		.path = path,
		.slirp = rig->slirp,
		.print_stats = print_stats,
		.context = rig->slirp,
	};

	return control_start(&config, control, fail);
}

int rig_set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct port *port[RIG_SHARDS];
	struct fail fail = { 0 };

	slirp_config_init(&rig->config);
	rig->config.shard_count = RIG_SHARDS;
	for (int i = 0; i < RIG_SHARDS; i++) {
		rig->fake[i] = fake_port_create();
		port[i] = fake_port_port(rig->fake[i]);
	}
	rig->host = host_open(SOCK_DGRAM, RIG_WAIT_MS, &rig->host_port);
	snprintf(rig->folder, sizeof(rig->folder), "/tmp/control.XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->path, sizeof(rig->path), "%s/socket", rig->folder);
	if (slirp_create(&rig->config, port, &rig->slirp, &fail) ||
	    slirp_start(rig->slirp, NULL, NULL, &fail) ||
	    rig_start(rig, rig->path, &rig->control, &fail))
		fail_msg("%s", fail.text);
	slirp_set_queues(rig->slirp, RIG_SHARDS);
	*state = rig;
	return 0;
}

int rig_tear_down(void **state)
{
	struct rig *rig = *state;
	int left;

	control_stop(rig->control);
	slirp_destroy(rig->slirp);
	for (int i = 0; i < RIG_SHARDS; i++)
		fake_port_destroy(rig->fake[i]);
	close(rig->host);
	/* Works only if nothing is left in it. */
	left = rmdir(rig->folder);
	free(rig);
	return left;
}

int rig_connect(const struct rig *rig)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, rig->path, sizeof(address.sun_path) - 1);
	assert_return_code(
		connect(sock, (struct sockaddr *)&address, sizeof(address)),
		errno);
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return sock;
}

void rig_send(int sock, const char *text)
{
	assert_int_equal(send(sock, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

char *rig_receive(int sock)
{
	FILE *line = NULL;
	char *text = NULL;
	size_t size;
	char byte;

	while (recv(sock, &byte, 1, 0) == 1 && byte != '\n') {
		if (!line)
			line = open_memstream(&text, &size);
		fputc(byte, line);
	}
	if (line)
		fclose(line);
	return text;
}

cJSON *rig_ask(int sock, const char *line)
{
	cJSON *reply;
	char *text;

	rig_send(sock, line);
	rig_send(sock, "\n");
	text = rig_receive(sock);
	assert_non_null(text);
	reply = cJSON_ParseWithOpts(text, NULL, true);
	assert_non_null(reply);
	free(text);
	return reply;
}

char *rig_refusal(int sock, const char *line)
{
	cJSON *reply = rig_ask(sock, line);
	const cJSON *error = cJSON_GetObjectItem(reply, "error");
	char *text;

	assert_true(cJSON_IsString(error));
	text = strdup(error->valuestring);
	cJSON_Delete(reply);
	return text;
}

void rig_datagram(struct rig *rig, unsigned int queue, uint16_t from_port,
		  size_t size)
{
	uint8_t data[1400] = { 0 }, frame[1500];
	size_t length = datagram_make(&rig->config, frame, from_port,
				      rig->host_port, data, size);
	socklen_t from_size = sizeof(rig->last);

	fake_port_transmit(rig->fake[queue], frame, length);
	assert_int_equal(recvfrom(rig->host, data, sizeof(data), 0,
				  (struct sockaddr *)&rig->last, &from_size),
			 size);
}

void rig_answer(struct rig *rig, unsigned int queue, size_t size)
{
	uint8_t data[1400] = { 0 }, frame[PORT_FRAME_MAX];

	assert_int_equal(sendto(rig->host, data, size, 0,
				(struct sockaddr *)&rig->last,
				sizeof(rig->last)),
			 size);
	assert_int_equal(
		fake_port_receive(rig->fake[queue], frame, RIG_WAIT_MS),
		DATAGRAM_HEADERS + size);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/control_internal.h"
#include "slirp/pcap.h"

/**
 * struct pcap_file - What was asked for
 * @path:	As mqvmm sees it
 * @overwrite:	It may be there already
 */
struct pcap_file {
	const char *path;
	bool overwrite;
};

/* Return: a file to write to, or negative errno */
static int pcap_open(const struct pcap_file *file)
{
	/* O_NONBLOCK: a FIFO must not keep us waiting for its reader. */
	int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
		    O_NOCTTY;
	int fd = open(file->path, flags | (file->overwrite ? 0 : O_EXCL),
		      S_IRUSR | S_IWUSR);
	struct stat stat;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat))
		ret = -errno;
	else if (!S_ISREG(stat.st_mode))
		ret = -EINVAL;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static void pcap_reply_unopened(const struct pcap_file *file, int err,
				struct reply *reply)
{
	if (err == -EEXIST)
		reply_error(reply,
			    "%s is there already: give another file, or have "
			    "it overwritten",
			    file->path);
	else if (err == -ELOOP)
		reply_error(reply, "%s is a symbolic link, or behind too many",
			    file->path);
	else if (err == -EINVAL || err == -ENXIO)
		reply_error(reply, "%s is no ordinary file", file->path);
	else
		reply_error(reply, "cannot open %s (%s)", file->path,
			    strerror(-err));
}

void pcap_request_start(struct control *control, const cJSON *arguments,
			struct reply *reply)
{
	struct pcap_config config = { 0 };
	struct pcap_file file;
	struct fail fail = { 0 };
	uint64_t snap;

	if (!argument_string(arguments, "file", NULL, &file.path, reply) ||
	    !argument_bool(arguments, "overwrite", false, &file.overwrite,
			   reply) ||
	    !argument_size(arguments, "snap", 0, &snap, reply) ||
	    !argument_size(arguments, "limit", 0, &config.limit, reply))
		return;
	config.snap = snap < UINT32_MAX ? (uint32_t)snap : 0;
	config.fd = pcap_open(&file);
	if (config.fd < 0) {
		pcap_reply_unopened(&file, config.fd, reply);
		return;
	}
	if (!slirp_pcap_start(control->config.slirp, &config, &fail)) {
		reply_value(reply, cJSON_CreateObject());
		return;
	}
	if (!file.overwrite)
		unlink(file.path);
	reply_error(reply, "%s", fail.text);
}

void pcap_request_stop(struct control *control, const cJSON *arguments,
		       struct reply *reply)
{
	struct pcap_result result;
	struct fail fail = { 0 };
	cJSON *value;

	(void)arguments;
	if (slirp_pcap_stop(control->config.slirp, &result, &fail)) {
		reply_error(reply, "%s", fail.text);
		return;
	}
	value = cJSON_CreateObject();
	cJSON_AddNumberToObject(value, "frames", (double)result.frames);
	cJSON_AddNumberToObject(value, "dropped", (double)result.dropped);
	cJSON_AddNumberToObject(value, "bytes", (double)result.bytes);
	reply_value(reply, value);
}

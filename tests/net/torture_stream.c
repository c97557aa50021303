/* SPDX-License-Identifier: BSD-3-Clause */
#include "torture_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LIMIT_S 50 /* for one connection */

static uint64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static const struct torture_side *stream_side(const struct stream *stream)
{
	return &stream->plan.side[stream->role];
}

static enum torture_role stream_other(const struct stream *stream)
{
	return stream->role == TORTURE_CLIENT ? TORTURE_SERVER : TORTURE_CLIENT;
}

/* How much may be sent now. */
static uint64_t stream_allowance(const struct stream *stream)
{
	const struct torture_side *side = stream_side(stream);

	return (stream->eof ? side->size : side->size - side->hold) -
	       stream->sent;
}

static size_t stream_run_length(struct stream *stream, uint64_t most)
{
	uint64_t length = 1 + torture_random(&stream->choice) %
				      stream_side(stream)->burst;

	return (size_t)(length < most ? length : most);
}

static void stream_pause(struct stream *stream)
{
	const struct torture_side *side = stream_side(stream);
	struct timespec pause = { 0 };

	if (stream->pauses == side->pauses ||
	    torture_random(&stream->choice) % 4)
		return;
	stream->pauses++;
	pause.tv_nsec =
		(long)(torture_random(&stream->choice) % (side->pause_ms + 1)) *
		1000000;
	nanosleep(&pause, NULL);
}

static void stream_complain(struct stream *stream, const char *complaint)
{
	if (!stream->complaint)
		stream->complaint = complaint;
}

static void stream_send(struct stream *stream)
{
	uint64_t most = stream_allowance(stream);
	size_t length;
	ssize_t n;

	if (most) {
		length = stream_run_length(stream, most);
		torture_fill(&stream->plan, stream->role, stream->sent,
			     stream->run, length);
		n = send(stream->sock, stream->run, length,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			stream->sent += (uint64_t)n;
		else if (errno != EAGAIN)
			stream_complain(stream, strerrordesc_np(errno));
	}
	if (stream->sent == stream_side(stream)->size && !stream->ended) {
		stream->ended = true;
		if (shutdown(stream->sock, SHUT_WR))
			stream_complain(stream, "cannot shut down");
	}
}

static void stream_receive(struct stream *stream)
{
	enum torture_role other = stream_other(stream);
	uint64_t all = stream->plan.side[other].size;
	ssize_t n =
		recv(stream->sock, stream->run,
		     stream_run_length(stream, STREAM_RUN_MAX), MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN)
			stream_complain(stream, strerrordesc_np(errno));
		return;
	}
	if (!n) {
		stream->eof = true;
		if (stream->received != all)
			stream_complain(stream, "ended too early");
		return;
	}
	torture_fill(&stream->plan, other, stream->received, stream->right,
		     (size_t)n);
	if (memcmp(stream->run, stream->right, (size_t)n) != 0)
		stream_complain(stream, "wrong bytes");
	stream->received += (uint64_t)n;
	if (stream->received > all)
		stream_complain(stream, "too many bytes");
}

/* Return: events of poll() that are waited for */
static short stream_wants(const struct stream *stream)
{
	bool send = stream_allowance(stream) || !stream->ended;

	if (!stream->eof && stream_side(stream)->hold &&
	    !stream_allowance(stream))
		send = false;
	return (short)((send ? POLLOUT : 0) | (stream->eof ? 0 : POLLIN));
}

static void stream_report(const struct stream *stream)
{
	fprintf(stderr,
		"%s, seed %#llx connection %u: %s (sent %llu of %llu, received "
		"%llu of %llu)\n",
		stream->role == TORTURE_CLIENT ? "client" : "server",
		(unsigned long long)stream->greeting.seed,
		stream->greeting.number, stream->complaint,
		(unsigned long long)stream->sent,
		(unsigned long long)stream_side(stream)->size,
		(unsigned long long)stream->received,
		(unsigned long long)stream->plan.side[stream_other(stream)]
			.size);
}

bool stream_run(struct stream *stream)
{
	uint64_t until = now_s() + LIMIT_S;
	struct pollfd poll_fd = { .fd = stream->sock };

	stream->choice = stream->plan.seed + stream->role;
	while (!stream->complaint && !(stream->ended && stream->eof)) {
		poll_fd.events = stream_wants(stream);
		poll(&poll_fd, 1, 1000);
		if (now_s() > until)
			stream_complain(stream, "takes too long");
		stream_pause(stream);
		if (poll_fd.revents & (POLLIN | POLLHUP | POLLERR))
			stream_receive(stream);
		if (poll_fd.revents & POLLOUT)
			stream_send(stream);
	}
	if (stream->complaint)
		stream_report(stream);
	return !stream->complaint;
}

void stream_begin(struct stream *stream, enum torture_role role)
{
	const struct greeting *greeting = &stream->greeting;
	int one = 1;

	stream->role = role;
	torture_plan_make(greeting->seed, greeting->number, greeting->most,
			  greeting->exact, &stream->plan);
	if (stream_side(stream)->buffer)
		setsockopt(stream->sock, SOL_SOCKET, SO_RCVBUF,
			   &stream_side(stream)->buffer, sizeof(int));
	if (stream->plan.seed & 1)
		setsockopt(stream->sock, IPPROTO_TCP, TCP_NODELAY, &one,
			   sizeof(one));
}

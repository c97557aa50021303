/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_OPTIONS_H
#define MQVMM_LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/**
 * struct address - An IPv4 or IPv6 address with a port
 * @sa:		The address
 * @length:	Its length for bind() and connect()
 */
struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t length;
};

/**
 * struct options - The command line
 * @to:		Server (clients)
 * @bind:	Address to serve on (servers); port 0 picks a free one
 * @flows:	Concurrent flows
 * @seconds:	How long to run; 0: until @count is reached (a server: for ever)
 * @count:	Transactions, or bytes for up and down, of all flows together
 * @rate:	Operations per second that all flows start; 0: closed loop
 * @size:	Bytes per answer or datagram
 * @timeout_s:	Limit of one operation
 * @threads:	Event loops; 0: a thread for each flow (a server: 2)
 * @hold_s:	How long ramp holds its connections idle
 * @bulk:	Streams that mixed runs in each direction
 * @name:	What dnsq asks for
 * @receive_buffer: SO_RCVBUF of a server's connections, bytes; 0: the kernel's
 * @pin:	Flow i runs on the i-th of the CPUs that the process may use
 * @verify:	Check every byte of a stream and sum it up
 * @json:	Report as JSON
 */
struct options {
	struct address to;
	struct address bind;
	unsigned int flows;
	double seconds;
	double rate;
	uint64_t count;
	uint32_t size;
	unsigned int timeout_s;
	unsigned int threads;
	double hold_s;
	unsigned int bulk;
	const char *name;
	unsigned int receive_buffer;
	bool pin;
	bool verify;
	bool json;
};

/**
 * options_parse() - Read the arguments that follow the mode
 * @options:	Filled in, defaults included
 * @argc:	Arguments left
 * @argv:	The arguments left
 *
 * Return: 0; -EINVAL after one sentence on stderr
 */
int options_parse(struct options *options, int argc, char **argv);

/**
 * address_port() - The port of an address
 * @address:	Address
 *
 * Return: the port, host order
 */
uint16_t address_port(const struct address *address);

/**
 * address_set_port() - Give an address another port
 * @address:	Address
 * @port:	Port, host order
 */
void address_set_port(struct address *address, uint16_t port);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_LOAD_ERROR_H
#define MQVMM_LOAD_ERROR_H

/* Why an operation failed. */
enum load_error {
	LOAD_REFUSED,     /* the peer answered with a reset to the SYN */
	LOAD_RESET,       /* the connection was reset */
	LOAD_TIMEOUT,     /* nothing happened for --timeout seconds */
	LOAD_UNREACHABLE, /* no route, or an ICMP error said so */
	LOAD_NO_PORT,     /* no local port or socket was free */
	LOAD_SHORT,       /* the stream ended before it was whole */
	LOAD_WRONG,       /* bytes, length or checksum differ */
	LOAD_OTHER,
	LOAD_ERRORS
};

/**
 * load_error_of() - Sort an error into its kind
 * @err:	-errno; -ENODATA: ended early, -EBADMSG: wrong bytes
 *
 * Return: the kind
 */
enum load_error load_error_of(int err);

/**
 * load_error_name() - Name a kind of error in reports
 * @kind:	Kind
 *
 * Return: one word
 */
const char *load_error_name(enum load_error kind);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DNS_MESSAGE_H
#define MQVMM_SLIRP_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As little of DNS messages (RFC 1035, 4.1) as forwarding needs; pure. */

#define DNS_HEADER_SIZE 12 /* bytes */
#define DNS_ERROR_MAX   (DNS_HEADER_SIZE + 255 + 4)

/* Response codes */
#define DNS_SERVFAIL 2
#define DNS_NOTIMP   4
#define DNS_REFUSED  5

/**
 * struct dns_header - The first 12 bytes, host byte order
 * @id:		Of the query, repeated in its response
 * @response:	QR
 * @rcode:	Of a response
 * @questions:	QDCOUNT
 */
struct dns_header {
	uint16_t id;
	bool response;
	uint8_t rcode;
	uint16_t questions;
};

/* Return: true, false if @size is too small for a header */
bool dns_header_parse(const uint8_t *message, size_t size,
		      struct dns_header *header);

/**
 * dns_write_error() - Make the response to a query that cannot be answered
 * @query:	At least a header; its question is repeated if it has one that
 *		can be read
 * @rcode:	DNS_SERVFAIL or DNS_REFUSED
 * @to:		DNS_ERROR_MAX bytes, may not overlap @query
 *
 * Return: bytes written
 */
size_t dns_write_error(const uint8_t *query, size_t size, uint8_t rcode,
		       uint8_t *to);

#endif

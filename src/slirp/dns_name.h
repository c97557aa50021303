/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_DNS_NAME_H
#define MQVMM_SLIRP_DNS_NAME_H

#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_ROOM 256 /* bytes: a name is 255 at most (RFC 1035, 3.1) */

/**
 * dns_write_name() - Write a domain name as DNS has it (RFC 1035, 3.1)
 * @name:	"example.org", with or without a dot at its end
 * @to:		DNS_NAME_ROOM bytes; zeros follow the name
 *
 * Return: bytes of the name, with the root's; 0 if it is empty or no name
 *
 * Context: pure.
 */
size_t dns_write_name(const char *name, uint8_t *to);

/**
 * dns_write_search() - Write domains one behind the other
 * @search:	Names with a space between them; what is no name is left out
 * @to:		Zeros follow the last name
 * @room:	Bytes of @to; what does not fit is left out
 *
 * Return: bytes of all names
 *
 * Context: pure.
 */
size_t dns_write_search(const char *search, uint8_t *to, size_t room);

#endif

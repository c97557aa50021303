/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/dns_name.h"

#include <string.h>

#define DNS_LABEL_MAX 63 /* bytes */

size_t dns_write_name(const char *name, uint8_t *to)
{
	size_t used = 0;

	memset(to, 0, DNS_NAME_ROOM);
	while (*name) {
		size_t label = strcspn(name, ".");

		/* One byte before the label, one for the root behind all. */
		if (!label || label > DNS_LABEL_MAX ||
		    used + 1 + label + 1 >= DNS_NAME_ROOM)
			return 0;
		to[used] = (uint8_t)label;
		memcpy(to + used + 1, name, label);
		used += 1 + label;
		name += label + (name[label] == '.');
	}
	return used ? used + 1 : 0;
}

size_t dns_write_search(const char *search, uint8_t *to, size_t room)
{
	uint8_t encoded[DNS_NAME_ROOM];
	char name[DNS_NAME_ROOM];
	size_t used = 0;

	memset(to, 0, room);
	while (*search) {
		size_t length = strcspn(search, " ");
		size_t size = 0;

		if (length < sizeof(name)) {
			memcpy(name, search, length);
			name[length] = '\0';
			size = dns_write_name(name, encoded);
		}
		if (size <= room - used) {
			memcpy(to + used, encoded, size);
			used += size;
		}
		search += length + (search[length] == ' ');
	}
	return used;
}

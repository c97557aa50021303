/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/id_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool id_set_has(const struct id_set *set, unsigned int id)
{
	return id < ID_SET_MAX && set->word[id / 64] >> id % 64 & 1;
}

void id_set_add(struct id_set *set, unsigned int id)
{
	if (id < ID_SET_MAX)
		set->word[id / 64] |= UINT64_C(1) << id % 64;
}

void id_set_intersect(struct id_set *set, const struct id_set *other)
{
	for (unsigned int i = 0; i < ID_SET_MAX / 64; i++)
		set->word[i] &= other->word[i];
}

bool id_set_is_empty(const struct id_set *set)
{
	for (unsigned int i = 0; i < ID_SET_MAX / 64; i++)
		if (set->word[i])
			return false;
	return true;
}

/* strtoul() would take blanks and signs; what is too large stays large. */
static bool take_number(const char **text, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoul(*text, &end, 10);
	*text = end;
	return true;
}

static bool take_range(const char **text, unsigned long *first,
		       unsigned long *last)
{
	if (!take_number(text, first))
		return false;
	*last = *first;
	if (**text != '-')
		return true;
	++*text;
	return take_number(text, last) && *last >= *first;
}

int id_set_parse(const char *text, struct id_set *set)
{
	unsigned long first, last;
	int ret = 0;

	memset(set, 0, sizeof(*set));
	if (!*text || strcmp(text, "\n") == 0)
		return 0;
	for (;; text++) {
		if (!take_range(&text, &first, &last))
			return -EINVAL;
		if (last >= ID_SET_MAX) {
			last = ID_SET_MAX - 1;
			ret = -ERANGE;
		}
		for (unsigned long id = first; id <= last; id++)
			id_set_add(set, (unsigned int)id);
		if (*text != ',')
			break;
	}
	return !*text || strcmp(text, "\n") == 0 ? ret : -EINVAL;
}

/* Return: the first id from @id on that is in the set, or not, as asked */
static unsigned int find(const struct id_set *set, unsigned int id, bool in)
{
	while (id < ID_SET_MAX && id_set_has(set, id) != in)
		id++;
	return id;
}

bool id_set_next_range(const struct id_set *set, unsigned int *first,
		       unsigned int *end)
{
	*first = find(set, *first, true);
	*end = find(set, *first, false);
	return *first < ID_SET_MAX;
}

int id_set_format(const struct id_set *set, char *text, size_t size)
{
	unsigned int first = 0, end;
	size_t used = 0;
	char range[24];

	*text = '\0';
	for (; id_set_next_range(set, &first, &end); first = end) {
		int length = snprintf(range, sizeof(range),
				      end - first > 1 ? "%s%u-%u" : "%s%u",
				      used ? "," : "", first, end - 1);

		if (used + (size_t)length >= size)
			return -ENOSPC;
		memcpy(text + used, range, (size_t)length + 1);
		used += (size_t)length;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "slirp/siphash.h"

#include <endian.h>
#include <string.h>

struct siphash {
	uint64_t a, b, c, d;
};

static uint64_t siphash_rotate(uint64_t word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static void siphash_round(struct siphash *s)
{
	s->a += s->b;
	s->b = siphash_rotate(s->b, 13) ^ s->a;
	s->a = siphash_rotate(s->a, 32);
	s->c += s->d;
	s->d = siphash_rotate(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = siphash_rotate(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = siphash_rotate(s->b, 17) ^ s->c;
	s->c = siphash_rotate(s->c, 32);
}

static void siphash_word(struct siphash *s, uint64_t word)
{
	s->d ^= word;
	siphash_round(s);
	s->a ^= word;
}

uint64_t siphash13(const uint64_t key[2], const void *data, size_t size)
{
	struct siphash s = {
		.a = key[0] ^ 0x736f6d6570736575ULL,
		.b = key[1] ^ 0x646f72616e646f6dULL,
		.c = key[0] ^ 0x6c7967656e657261ULL,
		.d = key[1] ^ 0x7465646279746573ULL,
	};
	const uint8_t *at = data;
	size_t left = size;
	uint64_t word;

	for (; left >= sizeof(word); left -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		siphash_word(&s, le64toh(word));
		at += sizeof(word);
	}
	word = 0;
	memcpy(&word, at, left);
	siphash_word(&s, le64toh(word) | (uint64_t)size << 56);
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		siphash_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

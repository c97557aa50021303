/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_SLIRP_SIPHASH_H
#define MQVMM_SLIRP_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/**
 * siphash13() - Keyed hash that a guest cannot steer into collisions
 * @key:	Secret, 128 bits
 * @data:	What to hash
 * @size:	Bytes of @data
 *
 * SipHash with one compression and three finalization rounds (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF").
 *
 * Return: 64 bits
 *
 * Context: any thread, pure.
 */
uint64_t siphash13(const uint64_t key[2], const void *data, size_t size);

#endif

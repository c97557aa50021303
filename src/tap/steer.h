/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_TAP_STEER_H
#define MQVMM_TAP_STEER_H

/**
 * steer_by_cpu() - Have a TAP transmit on the queue of the CPU that sends
 * @fd:		Of any of its queues
 * @cpu:	Of each queue's reader; a CPU that is not among them takes the
 *		queue of its number modulo @queues
 * @queues:	How many
 *
 * What XPS does for network cards, by a BPF program (TUNSETSTEERINGEBPF): a
 * sender and the thread that serves it then share a CPU, and waking that one
 * costs a tenth of a wake-up across CPUs. Otherwise a TAP spreads flows by a
 * hash of their addresses.
 *
 * Return: 0, or negative errno: -EPERM for users who may not load BPF programs
 *
 * Context: any thread.
 */
int steer_by_cpu(int fd, const unsigned int *cpu, unsigned int queues);

#endif

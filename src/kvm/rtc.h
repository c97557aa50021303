/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_RTC_H
#define MQVMM_KVM_RTC_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/fail.h"
#include "kvm/bus.h"

/**
 * struct rtc - MC146818 clock at ports 0x70 and 0x71, for reading the time
 * @index:	Register that the guest chose
 *
 * It shows the host's UTC. Writes are dropped, there are no alarms: Linux reads
 * it once, at boot.
 */
struct rtc {
	_Atomic uint8_t index;
};

/**
 * rtc_init() - Put the clock on the bus
 * @rtc:	Filled; outlives the bus
 * @pio:	Port I/O bus
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 */
int rtc_init(struct rtc *rtc, struct bus *pio, struct fail *fail);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MQVMM_KVM_CONSOLE_H
#define MQVMM_KVM_CONSOLE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/fail.h"
#include "kvm/bus.h"
#include "kvm/ending.h"
#include "kvm/irq.h"
#include "kvm/machine.h"
#include "kvm/serial.h"

#define CONSOLE_POLLS       2
#define CONSOLE_INPUT_BYTES 256

/**
 * struct console - The serial port and where its bytes come from and go to
 * @serial:	The guest's side
 * @irq:	Where @irq_eventfd is connected
 * @ending:	Where Ctrl-A X leads
 * @present:	false for MACHINE_SERIAL_NONE: nothing else is set then
 * @irq_eventfd: The port's interrupt
 * @room_eventfd: The guest has made room for input
 * @out_fd:	Where output goes
 * @in_fd:	Where input comes from, -1 for nowhere (any more)
 * @terminal:	@in_fd is one
 * @raw:	It is in raw mode, @before is what it was in
 * @stalled:	Nobody reads the output: drop it without waiting
 * @escape:	Ctrl-A came last
 * @input:	Bytes that wait for the guest
 * @input_count: How many
 */
struct console {
	struct serial serial;
	struct irq_controller *irq;
	struct ending *ending;
	bool present;
	int irq_eventfd;
	int room_eventfd;
	int out_fd;
	int in_fd;
	bool terminal;
	bool raw;
	bool stalled;
	bool escape;
	struct termios before;
	uint8_t input[CONSOLE_INPUT_BYTES];
	size_t input_count;
};

/**
 * console_init() - Put the serial port on the bus and open its other side
 * @console:	Filled; nothing to release when this fails
 * @config:	Where the console goes
 * @pio:	Port I/O bus
 * @irq:	From irq_kvm_create()
 * @ending:	The machine's
 * @fail:	The cause
 *
 * Return: 0 or negative errno
 */
int console_init(struct console *console, const struct machine_config *config,
		 struct bus *pio, struct irq_controller *irq,
		 struct ending *ending, struct fail *fail);

/**
 * console_destroy() - Close what console_init() opened
 * @console:	From console_init(), not attached
 */
void console_destroy(struct console *console);

/**
 * console_attach() - Take the terminal: keys go to the guest as they come
 * @console:	From console_init()
 *
 * Where standard input is no terminal nothing happens.
 */
void console_attach(struct console *console);

/**
 * console_detach() - Give the terminal back as it was
 * @console:	From console_init()
 */
void console_detach(struct console *console);

/**
 * console_poll() - What to wait for
 * @console:	From console_init()
 * @polls:	CONSOLE_POLLS entries, filled; unused ones have fd -1
 */
void console_poll(const struct console *console, struct pollfd *polls);

/**
 * console_handle() - Move input towards the guest
 * @console:	From console_init()
 * @polls:	What poll() made of console_poll()'s
 *
 * Ctrl-A X stops the machine, Ctrl-A Ctrl-A is one Ctrl-A. Where input is a
 * pipe or a file it waits for the guest; of a terminal's, what the guest does
 * not read in time is dropped, so that Ctrl-A X always gets through.
 *
 * Context: the thread in machine_run().
 */
void console_handle(struct console *console, const struct pollfd *polls);

#endif

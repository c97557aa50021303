/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kvm/irq_kvm.h"

#define CTRL_A 0x01

/*
 * How long a vCPU waits for a reader of its output. One that stays away costs
 * the guest this once: from then on bytes are dropped until it reads again.
 */
#define STALL_MS 100

#define READ_BYTES 64

static void transmit(void *context, uint8_t byte)
{
	struct console *console = context;
	struct pollfd out = { .fd = console->out_fd, .events = POLLOUT };
	ssize_t written;
	int ready;

	do
		ready = poll(&out, 1, console->stalled ? 0 : STALL_MS);
	while (ready < 0 && errno == EINTR);
	console->stalled = ready <= 0;
	if (console->stalled)
		return;
	/* Nothing can be done for a console that is closed or full. */
	written = write(console->out_fd, &byte, 1);
	(void)written;
}

static void interrupt(void *context)
{
	struct console *console = context;

	(void)eventfd_write(console->irq_eventfd, 1);
}

static void drained(void *context)
{
	struct console *console = context;

	(void)eventfd_write(console->room_eventfd, 1);
}

static const struct serial_host host_ops = { transmit, interrupt, drained };

static int open_output(const struct machine_config *config, struct fail *fail)
{
	int fd;

	if (config->serial == MACHINE_SERIAL_STDIO)
		return STDOUT_FILENO;
	fd = open(config->serial_path,
		  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK |
			  O_NOCTTY,
		  0644);
	if (fd < 0)
		return fail_set(fail, -errno,
				"cannot open the serial console's file %s: %s",
				config->serial_path, strerror(errno));
	return fd;
}

static void close_output(const struct console *console)
{
	if (console->out_fd != STDOUT_FILENO)
		close(console->out_fd);
}

static int open_eventfds(struct console *console, struct fail *fail)
{
	console->irq_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	console->room_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (console->irq_eventfd >= 0 && console->room_eventfd >= 0)
		return 0;
	return fail_set(fail, -errno,
			"no eventfd for the serial console (%s): raise the "
			"limit on open files (ulimit -n)",
			strerror(errno));
}

static void close_eventfds(const struct console *console)
{
	if (console->irq_eventfd >= 0)
		close(console->irq_eventfd);
	if (console->room_eventfd >= 0)
		close(console->room_eventfd);
}

static int connect_guest(struct console *console, struct bus *pio,
			 struct fail *fail)
{
	int rc = serial_init(&console->serial, &host_ops, console);

	if (rc < 0)
		return fail_set(fail, rc, "serial console: %s", strerror(-rc));
	rc = irq_kvm_edge_connect(console->irq, SERIAL_IRQ,
				  console->irq_eventfd);
	if (rc < 0)
		goto out_serial;
	rc = bus_add(pio, SERIAL_PORT, SERIAL_PORT_COUNT, serial_ops(),
		     &console->serial);
	if (rc == 0)
		return 0;
	irq_kvm_edge_disconnect(console->irq, SERIAL_IRQ, console->irq_eventfd);
out_serial:
	serial_destroy(&console->serial);
	return fail_set(fail, rc, "serial port %#x, interrupt %d: %s",
			SERIAL_PORT, SERIAL_IRQ, strerror(-rc));
}

int console_init(struct console *console, const struct machine_config *config,
		 struct bus *pio, struct irq_controller *irq,
		 struct ending *ending, struct fail *fail)
{
	int rc;

	memset(console, 0, sizeof(*console));
	console->irq = irq;
	console->ending = ending;
	console->in_fd = -1;
	if (config->serial == MACHINE_SERIAL_NONE)
		return 0;
	if (config->serial == MACHINE_SERIAL_STDIO)
		console->in_fd = STDIN_FILENO;
	console->out_fd = open_output(config, fail);
	if (console->out_fd < 0)
		return console->out_fd;
	rc = open_eventfds(console, fail);
	if (rc == 0)
		rc = connect_guest(console, pio, fail);
	if (rc < 0) {
		close_eventfds(console);
		close_output(console);
		return rc;
	}
	console->present = true;
	return 0;
}

void console_destroy(struct console *console)
{
	if (!console->present)
		return;
	irq_kvm_edge_disconnect(console->irq, SERIAL_IRQ, console->irq_eventfd);
	serial_destroy(&console->serial);
	close_eventfds(console);
	close_output(console);
}

void console_attach(struct console *console)
{
	struct termios raw;

	if (console->in_fd < 0 || tcgetattr(console->in_fd, &console->before))
		return;
	console->terminal = true;
	raw = console->before;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* our own messages end in a bare newline */
	console->raw = tcsetattr(console->in_fd, TCSANOW, &raw) == 0;
}

void console_detach(struct console *console)
{
	if (console->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &console->before);
	console->raw = false;
}

/* How much to read at once: each byte becomes one, but for a late escape. */
static size_t read_size(const struct console *console)
{
	size_t room = CONSOLE_INPUT_BYTES - console->input_count;

	if (console->terminal || room > READ_BYTES)
		return READ_BYTES;
	return room > 1 ? room - 1 : 0;
}

void console_poll(const struct console *console, struct pollfd *polls)
{
	polls[0] = (struct pollfd) { .fd = -1 };
	polls[1] = (struct pollfd) { .fd = -1 };
	if (!console->present)
		return;
	polls[0] = (struct pollfd) { .fd = console->room_eventfd,
				     .events = POLLIN };
	if (console->in_fd >= 0 && read_size(console))
		polls[1] = (struct pollfd) { .fd = console->in_fd,
					     .events = POLLIN };
}

static void enqueue(struct console *console, uint8_t byte)
{
	if (console->input_count < CONSOLE_INPUT_BYTES)
		console->input[console->input_count++] = byte;
}

static void take_key(struct console *console, uint8_t byte)
{
	bool escaped = console->escape;

	console->escape = !escaped && byte == CTRL_A;
	if (console->escape)
		return;
	if (escaped && (byte == 'x' || byte == 'X')) {
		ending_request(console->ending, MACHINE_END_STOPPED);
		return;
	}
	if (escaped && byte != CTRL_A)
		enqueue(console, CTRL_A); /* no command of ours: the guest's */
	enqueue(console, byte);
}

static void read_input(struct console *console)
{
	uint8_t bytes[READ_BYTES];
	ssize_t count = read(console->in_fd, bytes, read_size(console));
	ssize_t i;

	if (count < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (count <= 0) {
		console->in_fd = -1; /* end of input is not the guest's end */
		return;
	}
	for (i = 0; i < count; i++)
		take_key(console, bytes[i]);
}

static void pass_input(struct console *console)
{
	size_t taken = serial_receive(&console->serial, console->input,
				      console->input_count);

	console->input_count -= taken;
	memmove(console->input, console->input + taken, console->input_count);
}

void console_handle(struct console *console, const struct pollfd *polls)
{
	eventfd_t count;

	if (!console->present)
		return;
	if (polls[0].revents)
		(void)eventfd_read(console->room_eventfd, &count);
	if (polls[1].revents)
		read_input(console);
	if (polls[0].revents || polls[1].revents)
		pass_input(console);
}

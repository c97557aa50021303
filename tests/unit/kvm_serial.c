/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kvm/serial.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

struct line {
	struct serial serial;
	char sent[64];
	unsigned int sent_count;
	unsigned int interrupts;
	unsigned int drained;
};

static void transmit(void *context, uint8_t byte)
{
	struct line *line = context;

	line->sent[line->sent_count++ % sizeof(line->sent)] = (char)byte;
}

static void interrupt(void *context)
{
	((struct line *)context)->interrupts++;
}

static void drained(void *context)
{
	((struct line *)context)->drained++;
}

static const struct serial_host host = { transmit, interrupt, drained };

static void out(struct line *line, unsigned int port, uint8_t value)
{
	serial_ops()->write(&line->serial, port, &value, 1);
}

static uint8_t in(struct line *line, unsigned int port)
{
	uint8_t value = 0;

	serial_ops()->read(&line->serial, port, &value, 1);
	return value;
}

static int setup(void **state)
{
	struct line *line = test_calloc(1, sizeof(*line));

	*state = line;
	return serial_init(&line->serial, &host, line);
}

static int teardown(void **state)
{
	struct line *line = *state;

	serial_destroy(&line->serial);
	test_free(line);
	return 0;
}

/* As Linux's driver has it when a program opens the port. */
static void start(struct line *line)
{
	out(line, IIR_FCR, 0x07);
	out(line, LCR, 0x03);
	out(line, MCR, 0x0b);
	out(line, IER, 0x05);
}

static void written_byte_is_sent(void **state)
{
	struct line *line = *state;

	out(line, DATA, 'h');
	out(line, DATA, 'i');
	assert_int_equal(line->sent_count, 2);
	assert_memory_equal(line->sent, "hi", 2);
	assert_int_equal(in(line, LSR) & 0x60, 0x60);
}

static void divisor_hides_data_and_ier(void **state)
{
	struct line *line = *state;

	out(line, LCR, 0x83);
	out(line, DATA, 1);
	out(line, IER, 2);
	assert_int_equal(in(line, DATA), 1);
	assert_int_equal(in(line, IER), 2);
	out(line, LCR, 0x03);
	assert_int_equal(in(line, IER), 0);
	assert_int_equal(line->sent_count, 0);
}

static void scratch_and_ier_read_back(void **state)
{
	struct line *line = *state;

	out(line, SCR, 0xa5);
	out(line, IER, 0xff);
	assert_int_equal(in(line, SCR), 0xa5);
	assert_int_equal(in(line, IER), 0x0f);
}

static void fifo_shows_as_16550a(void **state)
{
	struct line *line = *state;

	out(line, IIR_FCR, 0x01);
	assert_int_equal(in(line, IIR_FCR) >> 6, 3);
	out(line, IIR_FCR, 0x00);
	assert_int_equal(in(line, IIR_FCR) >> 6, 0);
}

static void loopback_connects_modem_lines(void **state)
{
	struct line *line = *state;

	out(line, MCR, 0x1a);
	assert_int_equal(in(line, MSR) & 0xf0, 0x90);
	out(line, MCR, 0x15);
	assert_int_equal(in(line, MSR) & 0xf0, 0x60);
}

static void loopback_returns_data(void **state)
{
	struct line *line = *state;

	out(line, MCR, 0x10);
	out(line, DATA, 'q');
	assert_int_equal(line->sent_count, 0);
	assert_int_equal(in(line, LSR) & 1, 1);
	assert_int_equal(in(line, DATA), 'q');
	assert_int_equal(in(line, LSR) & 1, 0);
}

static void nothing_is_received_before_the_driver_listens(void **state)
{
	struct line *line = *state;

	assert_int_equal(serial_receive(&line->serial, (uint8_t *)"x", 1), 0);
	start(line);
	assert_int_equal(line->drained, 1);
	assert_int_equal(serial_receive(&line->serial, (uint8_t *)"x", 1), 1);
}

static void received_bytes_interrupt_and_read_in_order(void **state)
{
	struct line *line = *state;

	start(line);
	assert_int_equal(serial_receive(&line->serial, (uint8_t *)"abc", 3), 3);
	assert_int_equal(line->interrupts, 1);
	assert_int_equal(in(line, IIR_FCR) & 0x0f, 0x04);
	assert_int_equal(in(line, DATA), 'a');
	assert_int_equal(in(line, DATA), 'b');
	assert_int_equal(in(line, DATA), 'c');
	assert_int_equal(in(line, IIR_FCR) & 0x0f, 0x01);
}

static void fifo_takes_16_bytes_and_tells_when_empty(void **state)
{
	static const uint8_t bytes[20] = { 1, 2, 3 };
	struct line *line = *state;
	unsigned int before;
	int i;

	start(line);
	before = line->drained;
	assert_int_equal(serial_receive(&line->serial, bytes, 20), 16);
	assert_int_equal(serial_receive(&line->serial, bytes, 20), 0);
	for (i = 0; i < 15; i++)
		in(line, DATA);
	assert_int_equal(line->drained, before);
	in(line, DATA);
	assert_int_equal(line->drained, before + 1);
	assert_int_equal(serial_receive(&line->serial, bytes, 20), 16);
}

static void transmitter_interrupts_when_switched_on_and_after_a_byte(
	void **state)
{
	struct line *line = *state;

	start(line);
	out(line, IER, 0x07);
	assert_int_equal(line->interrupts, 1);
	assert_int_equal(in(line, IIR_FCR) & 0x0f, 0x02);
	assert_int_equal(in(line, IIR_FCR) & 0x0f, 0x01);
	out(line, DATA, 'x');
	assert_int_equal(line->interrupts, 2);
	assert_int_equal(in(line, IIR_FCR) & 0x0f, 0x02);
}

static void no_interrupt_leaves_without_out2(void **state)
{
	struct line *line = *state;

	start(line);
	out(line, MCR, 0x03);
	serial_receive(&line->serial, (uint8_t *)"a", 1);
	assert_int_equal(line->interrupts, 0);
	out(line, MCR, 0x0b);
	assert_int_equal(line->interrupts, 1);
}

static void reset_forgets_input_and_settings(void **state)
{
	struct line *line = *state;

	start(line);
	serial_receive(&line->serial, (uint8_t *)"abc", 3);
	serial_reset(&line->serial);
	assert_int_equal(in(line, LSR), 0x60);
	assert_int_equal(in(line, IER), 0);
	assert_int_equal(serial_receive(&line->serial, (uint8_t *)"x", 1), 0);
}

static void wide_access_is_neighbouring_ports(void **state)
{
	struct line *line = *state;
	uint16_t value = 0x0341; /* 'A' to DATA, 3 to IER */

	serial_ops()->write(&line->serial, DATA, &value, 2);
	assert_int_equal(line->sent[0], 'A');
	assert_int_equal(in(line, IER), 3);
}

int main(void)
{
#define ON_LINE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_LINE(written_byte_is_sent),
		ON_LINE(divisor_hides_data_and_ier),
		ON_LINE(scratch_and_ier_read_back),
		ON_LINE(fifo_shows_as_16550a),
		ON_LINE(loopback_connects_modem_lines),
		ON_LINE(loopback_returns_data),
		ON_LINE(nothing_is_received_before_the_driver_listens),
		ON_LINE(received_bytes_interrupt_and_read_in_order),
		ON_LINE(fifo_takes_16_bytes_and_tells_when_empty),
		ON_LINE(transmitter_interrupts_when_switched_on_and_after_a_byte),
		ON_LINE(no_interrupt_leaves_without_out2),
		ON_LINE(reset_forgets_input_and_settings),
		ON_LINE(wide_access_is_neighbouring_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

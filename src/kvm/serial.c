/* SPDX-License-Identifier: BSD-3-Clause */
#include "kvm/serial.h"

#include <string.h>

/*
 * Theory of operation
 *
 * The registers of TI's PC16550D data sheet, as far as Linux's 8250 driver
 * looks at them. A byte is sent the moment it is written, so the transmitter is
 * always empty. The interrupt line is an edge on the ISA bus: the host is told
 * when it rises, and again when a cause comes anew while it is high, since a
 * driver that polls may have missed the edge.
 */

enum {
	REG_DATA = 0, /* divisor's low byte with DLAB */
	REG_IER = 1,  /* divisor's high byte with DLAB */
	REG_IIR = 2,  /* written: FCR */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define IER_RECEIVED    0x01
#define IER_TRANSMITTED 0x02
#define IER_LINE_STATUS 0x04
#define IER_BITS        0x0f

#define IIR_NONE        0x01
#define IIR_TRANSMITTED 0x02
#define IIR_RECEIVED    0x04
#define IIR_LINE_STATUS 0x06
#define IIR_FIFOS       0xc0

#define FCR_ENABLE        0x01
#define FCR_CLEAR_RECEIVE 0x02
#define FCR_KEPT          0xc9

#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08 /* on a PC it lets the interrupt through */
#define MCR_LOOP 0x10
#define MCR_BITS 0x1f

#define LSR_DATA_READY   0x01
#define LSR_OVERRUN      0x02
#define LSR_HOLDER_EMPTY 0x20
#define LSR_EMPTY        0x40

#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI  0x40
#define MSR_DCD 0x80

#define DIVISOR_9600_BAUD 12

static uint8_t interrupt_id(const struct serial *serial)
{
	if (serial->ier & IER_LINE_STATUS && serial->overrun)
		return IIR_LINE_STATUS;
	if (serial->ier & IER_RECEIVED && serial->rx_count)
		return IIR_RECEIVED;
	if (serial->ier & IER_TRANSMITTED && serial->transmitted)
		return IIR_TRANSMITTED;
	return IIR_NONE;
}

/* @anew: a cause has come that was not there before. */
static void update_line(struct serial *serial, bool anew)
{
	bool high = interrupt_id(serial) != IIR_NONE &&
		    serial->mcr & MCR_OUT2 && !(serial->mcr & MCR_LOOP);
	bool tell = high && (anew || !serial->line);

	serial->line = high;
	if (tell)
		serial->host->interrupt(serial->context);
}

static void push(struct serial *serial, uint8_t byte)
{
	unsigned int room = serial->fcr & FCR_ENABLE ? SERIAL_FIFO_LENGTH : 1;

	if (serial->rx_count >= room) {
		serial->overrun = true;
		return;
	}
	serial->rx[(serial->rx_first + serial->rx_count++) %
		   SERIAL_FIFO_LENGTH] = byte;
}

static uint8_t pop(struct serial *serial)
{
	uint8_t byte;

	if (serial->rx_count == 0)
		return 0;
	byte = serial->rx[serial->rx_first];
	serial->rx_first = (serial->rx_first + 1) % SERIAL_FIFO_LENGTH;
	serial->rx_count--;
	if (serial->rx_count == 0 && serial->host->drained)
		serial->host->drained(serial->context);
	return byte;
}

static void write_data(struct serial *serial, uint8_t value)
{
	if (serial->lcr & LCR_DLAB) {
		serial->divisor[0] = value;
		return;
	}
	if (serial->mcr & MCR_LOOP)
		push(serial, value);
	else
		serial->host->transmit(serial->context, value);
	serial->transmitted = true;
	update_line(serial, true);
}

static void write_ier(struct serial *serial, uint8_t value)
{
	bool anew;

	if (serial->lcr & LCR_DLAB) {
		serial->divisor[1] = value;
		return;
	}
	anew = value & IER_TRANSMITTED && !(serial->ier & IER_TRANSMITTED);
	serial->ier = value & IER_BITS;
	/* Switching it on with an empty transmitter interrupts at once. */
	if (anew)
		serial->transmitted = true;
	if (value & IER_RECEIVED && !serial->listening) {
		serial->listening = true;
		if (serial->host->drained)
			serial->host->drained(serial->context);
	}
	update_line(serial, anew);
}

static void write_fcr(struct serial *serial, uint8_t value)
{
	bool had_input = serial->rx_count > 0;

	if (value & FCR_CLEAR_RECEIVE || (serial->fcr ^ value) & FCR_ENABLE)
		serial->rx_count = 0;
	serial->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
	if (had_input && serial->rx_count == 0 && serial->host->drained)
		serial->host->drained(serial->context);
	update_line(serial, false);
}

static void write_mcr(struct serial *serial, uint8_t value)
{
	bool reconnected = serial->mcr & MCR_LOOP && !(value & MCR_LOOP);

	serial->mcr = value & MCR_BITS;
	if (reconnected && serial->host->drained)
		serial->host->drained(serial->context);
	update_line(serial, false);
}

static uint8_t read_iir(struct serial *serial)
{
	uint8_t id = interrupt_id(serial);

	/* Reading it is how this one cause is acknowledged. */
	if (id == IIR_TRANSMITTED) {
		serial->transmitted = false;
		update_line(serial, false);
	}
	return id | (serial->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct serial *serial)
{
	uint8_t value = LSR_HOLDER_EMPTY | LSR_EMPTY;

	if (serial->rx_count)
		value |= LSR_DATA_READY;
	if (serial->overrun)
		value |= LSR_OVERRUN;
	serial->overrun = false;
	update_line(serial, false);
	return value;
}

/* In loopback the modem's outputs are its inputs; else a modem is connected. */
static uint8_t read_msr(const struct serial *serial)
{
	uint8_t value = 0;

	if (!(serial->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (serial->mcr & MCR_RTS)
		value |= MSR_CTS;
	if (serial->mcr & MCR_DTR)
		value |= MSR_DSR;
	if (serial->mcr & MCR_OUT1)
		value |= MSR_RI;
	if (serial->mcr & MCR_OUT2)
		value |= MSR_DCD;
	return value;
}

static uint8_t read_register(struct serial *serial, uint64_t offset)
{
	uint8_t value;

	switch (offset) {
	case REG_DATA:
		if (serial->lcr & LCR_DLAB)
			return serial->divisor[0];
		value = pop(serial);
		update_line(serial, false);
		return value;
	case REG_IER:
		return serial->lcr & LCR_DLAB ? serial->divisor[1]
					      : serial->ier;
	case REG_IIR:
		return read_iir(serial);
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		return read_lsr(serial);
	case REG_MSR:
		return read_msr(serial);
	default:
		return serial->scr;
	}
}

static void write_register(struct serial *serial, uint64_t offset,
			   uint8_t value)
{
	switch (offset) {
	case REG_DATA:
		write_data(serial, value);
		break;
	case REG_IER:
		write_ier(serial, value);
		break;
	case REG_IIR:
		write_fcr(serial, value);
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		write_mcr(serial, value);
		break;
	case REG_SCR:
		serial->scr = value;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
}

/* A wider access is to neighbouring ports, byte by byte, as on the ISA bus. */
static void bus_serial_read(void *device, uint64_t offset, void *data,
			    unsigned int size)
{
	struct serial *serial = device;
	uint8_t *bytes = data;
	unsigned int i;

	pthread_mutex_lock(&serial->lock);
	for (i = 0; i < size; i++)
		bytes[i] = read_register(serial, offset + i);
	pthread_mutex_unlock(&serial->lock);
}

static void bus_serial_write(void *device, uint64_t offset, const void *data,
			     unsigned int size)
{
	struct serial *serial = device;
	const uint8_t *bytes = data;
	unsigned int i;

	pthread_mutex_lock(&serial->lock);
	for (i = 0; i < size; i++)
		write_register(serial, offset + i, bytes[i]);
	pthread_mutex_unlock(&serial->lock);
}

const struct bus_ops *serial_ops(void)
{
	static const struct bus_ops ops = { bus_serial_read, bus_serial_write };

	return &ops;
}

static void power_on(struct serial *serial)
{
	memset(serial->divisor, 0, sizeof(serial->divisor));
	serial->divisor[0] = DIVISOR_9600_BAUD;
	serial->ier = 0;
	serial->fcr = 0;
	serial->lcr = 0;
	serial->mcr = 0;
	serial->scr = 0;
	serial->overrun = false;
	serial->transmitted = false;
	serial->line = false;
	serial->listening = false;
	serial->rx_count = 0;
}

int serial_init(struct serial *serial, const struct serial_host *host,
		void *context)
{
	memset(serial, 0, sizeof(*serial));
	serial->host = host;
	serial->context = context;
	power_on(serial);
	return -pthread_mutex_init(&serial->lock, NULL);
}

void serial_destroy(struct serial *serial)
{
	pthread_mutex_destroy(&serial->lock);
}

void serial_reset(struct serial *serial)
{
	pthread_mutex_lock(&serial->lock);
	power_on(serial);
	pthread_mutex_unlock(&serial->lock);
}

size_t serial_receive(struct serial *serial, const uint8_t *bytes, size_t count)
{
	size_t room = 0;
	size_t i;

	pthread_mutex_lock(&serial->lock);
	if (serial->listening && !(serial->mcr & MCR_LOOP))
		room = (serial->fcr & FCR_ENABLE ? SERIAL_FIFO_LENGTH : 1);
	room = room > serial->rx_count ? room - serial->rx_count : 0;
	if (count > room)
		count = room;
	for (i = 0; i < count; i++)
		push(serial, bytes[i]);
	if (count)
		update_line(serial, true);
	pthread_mutex_unlock(&serial->lock);
	return count;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Guests of a few instructions, in 32-bit protected mode, on the real KVM. */
#include "boot_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "kvm/machine.h"

#define LE16(value) (value) & 0xff, (value) >> 8 & 0xff
#define LE32(value) LE16(value), LE16((value) >> 16)

#define OUT(port, value) 0x66, 0xba, LE16(port), 0xb0, value, 0xee
#define HALT             0xf4, 0xeb, 0xfd /* hlt; jmp to it */
#define POWEROFF         OUT(0x600, 5 << 2 | 0x20), HALT

#define DEVICE_GPA  0xd0000000
#define COUNTER_GPA 0x01200000 /* RAM that no boot overwrites */

struct rig {
	struct elf_sample kernel;
	char kernel_path[FILE_PATH_MAX];
	char serial_path[FILE_PATH_MAX];
	int kernel_fd;
	int serial_fd;
	struct machine_config config;
	struct machine *machine;
};

static int setup(void **state)
{
	struct rig *rig = test_calloc(1, sizeof(*rig));

	elf_sample_init(&rig->kernel);
	rig->serial_fd = file_create("", 0, rig->serial_path);
	rig->config = (struct machine_config) {
		.topology = { 1, 1, 1, 1 },
		.memory_size = 32 * MIB,
		.kernel = rig->kernel_path,
		.command_line = "",
		.serial = MACHINE_SERIAL_FILE,
		.serial_path = rig->serial_path,
	};
	rig->kernel_fd = -1;
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	machine_destroy(rig->machine);
	close(rig->serial_fd);
	if (rig->kernel_fd >= 0)
		close(rig->kernel_fd);
	test_free(rig);
	return 0;
}

static void check(int rc, const struct fail *fail)
{
	if (rc < 0)
		fail_msg("%s", fail->text);
}

/* Make a machine whose kernel is @code. */
static void make(struct rig *rig, const uint8_t *code, size_t size)
{
	struct fail fail = { "" };

	assert_true(size <= sizeof(rig->kernel.text) - 16);
	memcpy(rig->kernel.text + 16, code, size);
	rig->kernel_fd = file_create(&rig->kernel, sizeof(rig->kernel),
				     rig->kernel_path);
	check(machine_create(&rig->config, &rig->machine, &fail), &fail);
}

static enum machine_end run_pinned(struct rig *rig,
				   void (*pin)(void *, unsigned int))
{
	struct fail fail = { "" };
	enum machine_end end = MACHINE_END_ERROR;

	check(machine_boot(rig->machine, &fail), &fail);
	check(machine_run(rig->machine, pin, rig, &end, &fail), &fail);
	return end;
}

static enum machine_end run_code(struct rig *rig, const uint8_t *code,
				 size_t size)
{
	make(rig, code, size);
	return run_pinned(rig, NULL);
}

#define RUN(state, ...)                                       \
	run_code(*(state), (const uint8_t[]) { __VA_ARGS__ }, \
		 sizeof((const uint8_t[]) { __VA_ARGS__ }))

static void acpi_sleep_powers_off(void **state)
{
	assert_int_equal(RUN(state, POWEROFF), MACHINE_END_POWEROFF);
}

static void acpi_reset_reboots(void **state)
{
	assert_int_equal(RUN(state, OUT(0x604, 1), HALT), MACHINE_END_REBOOT);
}

static void keyboard_controller_reboots(void **state)
{
	assert_int_equal(RUN(state, OUT(0x64, 0xfe), HALT), MACHINE_END_REBOOT);
}

static void reset_control_reboots(void **state)
{
	assert_int_equal(RUN(state, OUT(0xcf9, 0x06), HALT),
			 MACHINE_END_REBOOT);
}

static void pvpanic_is_a_panic(void **state)
{
	assert_int_equal(RUN(state, OUT(0x505, 1), HALT), MACHINE_END_PANIC);
}

/* An interrupt table without entries, from RAM that is zero, and #UD. */
static void shutdown_is_a_triple_fault(void **state)
{
	assert_int_equal(RUN(state, 0x0f, 0x01, 0x1d, LE32(COUNTER_GPA), 0x0f,
			     0x0b, HALT),
			 MACHINE_END_TRIPLE_FAULT);
}

static void string_output_reaches_the_serial_file(void **state)
{
	struct rig *rig = *state;
	char text[6] = "";

	memcpy(rig->kernel.data, "hello", 5);
	/* mov esi; mov ecx; mov dx; cld; rep outsb */
	assert_int_equal(RUN(state, 0xbe, LE32(ELF_DATA_GPA), 0xb9, LE32(5),
			     0x66, 0xba, LE16(0x3f8), 0xfc, 0xf3, 0x6e,
			     POWEROFF),
			 MACHINE_END_POWEROFF);
	assert_int_equal(pread(rig->serial_fd, text, 5, 0), 5);
	assert_string_equal(text, "hello");
}

static void stop_from(void *context, unsigned int vcpu)
{
	struct rig *rig = context;

	(void)vcpu;
	machine_stop(rig->machine);
}

static void halted_cpus_stop(void **state)
{
	static const uint8_t code[] = { HALT };
	struct rig *rig = *state;

	rig->config.topology = (struct machine_topology) { .cpus = 3, 1, 3, 1 };
	make(rig, code, sizeof(code));
	assert_int_equal(run_pinned(rig, stop_from), MACHINE_END_STOPPED);
}

static void busy_cpu_stops(void **state)
{
	static const uint8_t code[] = { 0xeb, 0xfe };
	struct rig *rig = *state;

	make(rig, code, sizeof(code));
	assert_int_equal(run_pinned(rig, stop_from), MACHINE_END_STOPPED);
}

static void stop_before_run_is_not_lost(void **state)
{
	static const uint8_t code[] = { HALT };
	struct rig *rig = *state;
	struct fail fail = { "" };

	make(rig, code, sizeof(code));
	machine_stop(rig->machine);
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_STOPPED);
	check(machine_boot(rig->machine, &fail), &fail);
}

/* Counts its boots in RAM: inc [counter]; cmp [counter], 3; je poweroff */
static void machine_boots_again_after_reboot(void **state)
{
	static const uint8_t code[] = {
		0xff,
		0x05,
		LE32(COUNTER_GPA),
		0x83,
		0x3d,
		LE32(COUNTER_GPA),
		3,
		0x74,
		10,
		OUT(0x604, 1),
		HALT,
		POWEROFF,
	};
	struct rig *rig = *state;

	make(rig, code, sizeof(code));
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_REBOOT);
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_REBOOT);
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_POWEROFF);
}

struct register_file {
	uint32_t value;
	unsigned int size;
};

static void register_read(void *device, uint64_t offset, void *data,
			  unsigned int size)
{
	(void)device;
	(void)offset;
	memset(data, 0, size);
}

static void register_write(void *device, uint64_t offset, const void *data,
			   unsigned int size)
{
	struct register_file *file = device;

	(void)offset;
	file->size = size;
	memcpy(&file->value, data, size < 4 ? size : 4);
}

/* mov eax, 0x12345678; mov [device], eax */
static void memory_write_reaches_its_device(void **state)
{
	static const struct bus_ops ops = { register_read, register_write };
	static const uint8_t code[] = { 0xb8, LE32(0x12345678), 0xa3,
					LE32(DEVICE_GPA), POWEROFF };
	struct register_file file = { 0 };
	struct rig *rig = *state;

	make(rig, code, sizeof(code));
	assert_int_equal(bus_add(machine_mmio(rig->machine), DEVICE_GPA, 4096,
				 &ops, &file),
			 0);
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_POWEROFF);
	assert_int_equal(file.value, 0x12345678);
	assert_int_equal(file.size, 4);
}

/* mov [device], al; mov [device], ax; mov [device], eax */
static void doorbell_rings_at_any_width(void **state)
{
	static const uint8_t code[] = {
		0xa2, LE32(DEVICE_GPA), 0x66,     0xa3, LE32(DEVICE_GPA),
		0xa3, LE32(DEVICE_GPA), POWEROFF,
	};
	struct rig *rig = *state;
	struct irq_controller *irq;
	eventfd_t rings = 0;
	int fd = eventfd(0, EFD_NONBLOCK);

	make(rig, code, sizeof(code));
	irq = machine_irq(rig->machine);
	assert_int_equal(irq->ops->doorbell_add(irq, DEVICE_GPA, 0, fd), 0);
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_POWEROFF);
	assert_int_equal(eventfd_read(fd, &rings), 0);
	assert_int_equal(rings, 3);
	irq->ops->doorbell_remove(irq, DEVICE_GPA, 0, fd);
	close(fd);
}

/* A full pipe that nobody reads: rep outsb of more than it has room for. */
static void unread_console_does_not_hold_the_guest(void **state)
{
	static const uint8_t code[] = { 0xb9, LE32(2048),  0x66,
					0xba, LE16(0x3f8), 0xfc,
					0xf3, 0x6e,        POWEROFF };
	struct rig *rig = *state;
	char bytes[4096] = "";
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], bytes, sizeof(bytes)) > 0)
		;
	snprintf(rig->serial_path, sizeof(rig->serial_path), "/proc/self/fd/%d",
		 ends[1]);
	make(rig, code, sizeof(code));
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_POWEROFF);
	close(ends[0]);
	close(ends[1]);
}

/*
 * Ask for receive interrupts, poll the line status for a byte, and power off if
 * it is @wanted: out 0x3f9, 1; in 0x3fd; test; jz; in 0x3f8; cmp; jne to hlt.
 */
#define POWEROFF_AT_KEY(wanted)                                            \
	OUT(0x3f9, 1), 0x66, 0xba, LE16(0x3fd), 0xec, 0xa8, 1, 0x74, 0xfb, \
		0x66, 0xba, LE16(0x3f8), 0xec, 0x3c, wanted, 0x75, 7, POWEROFF

/* Let @fd be standard input until restore_input(). */
static int replace_input(int fd)
{
	int before = dup(STDIN_FILENO);

	assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	return before;
}

static void restore_input(int before)
{
	dup2(before, STDIN_FILENO);
	close(before);
}

/* Run @code with @text, and then nothing more, on standard input. */
static enum machine_end run_with_input(struct rig *rig, const uint8_t *code,
				       size_t size, const char *text)
{
	enum machine_end end;
	int before;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	close(ends[1]);
	before = replace_input(ends[0]);
	rig->config.serial = MACHINE_SERIAL_STDIO;
	make(rig, code, size);
	end = run_pinned(rig, NULL);
	restore_input(before);
	close(ends[0]);
	return end;
}

static void input_reaches_the_guest(void **state)
{
	static const uint8_t code[] = { POWEROFF_AT_KEY('k') };

	assert_int_equal(run_with_input(*state, code, sizeof(code), "k"),
			 MACHINE_END_POWEROFF);
}

static void ctrl_a_twice_is_one_ctrl_a(void **state)
{
	static const uint8_t code[] = { POWEROFF_AT_KEY(1) };

	assert_int_equal(run_with_input(*state, code, sizeof(code), "\1\1"),
			 MACHINE_END_POWEROFF);
}

static void ctrl_a_x_from_a_pipe_leaves(void **state)
{
	static const uint8_t code[] = { HALT };

	assert_int_equal(run_with_input(*state, code, sizeof(code), "ab\1x"),
			 MACHINE_END_STOPPED);
}

static void end_of_input_does_not_end_the_guest(void **state)
{
	/* Waits long enough, in 65536 rounds, for the input's end to be seen.
	 */
	static const uint8_t code[] = { 0xb9, LE32(65536), 0xe2, 0xfe,
					POWEROFF };

	assert_int_equal(run_with_input(*state, code, sizeof(code), ""),
			 MACHINE_END_POWEROFF);
}

static void ctrl_a_x_leaves_and_restores_the_terminal(void **state)
{
	static const uint8_t code[] = { HALT };
	struct rig *rig = *state;
	struct termios before;
	struct termios after;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int terminal;
	int input;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_int_equal(tcgetattr(terminal, &before), 0);
	input = replace_input(terminal);
	rig->config.serial = MACHINE_SERIAL_STDIO;
	make(rig, code, sizeof(code));
	/* The newline lets it through a terminal that is not yet raw. */
	assert_int_equal(write(master, "\1x\n", 3), 3);
	assert_int_equal(run_pinned(rig, NULL), MACHINE_END_STOPPED);
	restore_input(input);
	assert_int_equal(tcgetattr(terminal, &after), 0);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_memory_equal(after.c_cc, before.c_cc, sizeof(before.c_cc));
	close(terminal);
	close(master);
}

static void too_many_vcpus_name_the_limit(void **state)
{
	struct rig *rig = *state;
	struct fail fail = { "" };

	rig->config.topology =
		(struct machine_topology) { 1 << 20, 1, 1 << 20, 1 };
	assert_int_equal(machine_create(&rig->config, &rig->machine, &fail),
			 -EINVAL);
	assert_non_null(strstr(fail.text, "at most"));
	assert_null(rig->machine);
}

static void unopenable_serial_file_is_named(void **state)
{
	struct rig *rig = *state;
	struct fail fail = { "" };

	rig->config.serial_path = "/nonexistent/console";
	assert_int_equal(machine_create(&rig->config, &rig->machine, &fail),
			 -ENOENT);
	assert_non_null(strstr(fail.text, "/nonexistent/console"));
}

static void machine_that_cannot_boot_is_released(void **state)
{
	struct rig *rig = *state;
	struct fail fail = { "" };

	rig->config.kernel = "/nonexistent/kernel";
	check(machine_create(&rig->config, &rig->machine, &fail), &fail);
	assert_int_equal(machine_boot(rig->machine, &fail), -ENOENT);
	assert_non_null(strstr(fail.text, "/nonexistent/kernel"));
}

static void pci_window_is_above_all_ram(void **state)
{
	static const uint8_t code[] = { HALT };
	struct rig *rig = *state;

	rig->config.memory_size = 40 * GIB;
	make(rig, code, sizeof(code));
	assert_true(machine_pci64_base(rig->machine) >= 41 * GIB);
	assert_null(guest_memory_at(machine_memory(rig->machine),
				    machine_pci64_base(rig->machine), 1));
}

int main(void)
{
#define ON_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_RIG(acpi_sleep_powers_off),
		ON_RIG(acpi_reset_reboots),
		ON_RIG(keyboard_controller_reboots),
		ON_RIG(reset_control_reboots),
		ON_RIG(pvpanic_is_a_panic),
		ON_RIG(shutdown_is_a_triple_fault),
		ON_RIG(string_output_reaches_the_serial_file),
		ON_RIG(halted_cpus_stop),
		ON_RIG(busy_cpu_stops),
		ON_RIG(stop_before_run_is_not_lost),
		ON_RIG(machine_boots_again_after_reboot),
		ON_RIG(memory_write_reaches_its_device),
		ON_RIG(doorbell_rings_at_any_width),
		ON_RIG(unread_console_does_not_hold_the_guest),
		ON_RIG(input_reaches_the_guest),
		ON_RIG(ctrl_a_twice_is_one_ctrl_a),
		ON_RIG(ctrl_a_x_from_a_pipe_leaves),
		ON_RIG(end_of_input_does_not_end_the_guest),
		ON_RIG(ctrl_a_x_leaves_and_restores_the_terminal),
		ON_RIG(too_many_vcpus_name_the_limit),
		ON_RIG(unopenable_serial_file_is_named),
		ON_RIG(machine_that_cannot_boot_is_released),
		ON_RIG(pci_window_is_above_all_ram),
	};

	if (access("/dev/kvm", R_OK | W_OK)) {
		puts("skipped: no usable /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

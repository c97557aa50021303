/* SPDX-License-Identifier: BSD-3-Clause */
/* The verdict on measured speeds, and that a measurement is plausible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>
#include <unistd.h>

#include "kvm/probe.h"

static void hardware_runs_stock_kernels(void **state)
{
	(void)state;
	assert_int_equal(probe_judge(6000, 6000), PROBE_STOCK);
	/* Hardware virtualisation inside of an emulated machine. */
	assert_int_equal(probe_judge(30, 35), PROBE_STOCK);
	assert_int_equal(probe_judge(6000, 0), PROBE_STOCK);
}

static void emulated_level_0_leaves_level_3(void **state)
{
	(void)state;
	assert_int_equal(probe_judge(2, 3000), PROBE_CPL3_ONLY);
	assert_int_equal(probe_judge(0, 3000), PROBE_CPL3_ONLY);
}

static void nothing_native_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(probe_judge(0, 0), PROBE_NONE);
	assert_int_equal(probe_judge(2, 2), PROBE_NONE);
}

static void measurement_agrees_with_its_verdict(void **state)
{
	struct probe_result result;
	struct fail fail = { "" };

	(void)state;
	if (access("/dev/kvm", R_OK | W_OK))
		skip();
	if (probe_measure(&result, &fail))
		fail_msg("%s", fail.text);
	assert_int_equal(result.verdict,
			 probe_judge(result.level0_mips, result.level3_mips));
	/* Some code runs on every KVM, and none faster than 10 per cycle. */
	assert_true(result.level0_mips > 0 || result.level3_mips > 0);
	assert_true(result.level0_mips < 100000);
	assert_true(result.level3_mips < 100000);
}

static void missing_kvm_is_told(void **state)
{
	struct probe_result result;
	struct fail fail = { "" };

	(void)state;
	if (!access("/dev/kvm", R_OK | W_OK))
		skip();
	assert_true(probe_measure(&result, &fail) < 0);
	assert_true(fail.text[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hardware_runs_stock_kernels),
		cmocka_unit_test(emulated_level_0_leaves_level_3),
		cmocka_unit_test(nothing_native_is_nothing),
		cmocka_unit_test(measurement_agrees_with_its_verdict),
		cmocka_unit_test(missing_kvm_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

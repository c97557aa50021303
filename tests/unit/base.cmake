# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(base_file SOURCES unit/base_file.c LIBS mqvmm_base)
mqvmm_test(base_switches SOURCES unit/base_switches.c LIBS mqvmm_base)

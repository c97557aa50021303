# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(engine SOURCES unit/engine_test.c LIBS mqvmm_slirp)

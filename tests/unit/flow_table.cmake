# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(slirp_flow_table SOURCES unit/flow_table_test.c LIBS table_load)

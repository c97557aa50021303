# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(sched_id_set SOURCES unit/sched_id_set.c LIBS mqvmm_sched)

# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(sched_poll SOURCES unit/sched_poll.c unit/poll_play.c
  unit/poll_traces.c LIBS mqvmm_sched m)

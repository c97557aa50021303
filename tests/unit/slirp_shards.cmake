# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(slirp_shards SOURCES unit/slirp_shards.c support/counts.c support/fake_port.c
  support/datagram.c support/host.c
  LIBS mqvmm_slirp TIMEOUT 120)
mqvmm_test(slirp_poll SOURCES unit/slirp_poll.c support/fake_port.c
  LIBS mqvmm_slirp)
mqvmm_test(slirp_follow SOURCES unit/slirp_follow.c support/fake_port.c
  LIBS mqvmm_slirp)
mqvmm_test(slirp_flow_admit SOURCES unit/flow_admit_test.c support/fake_port.c
  LIBS mqvmm_slirp)
mqvmm_test(slirp_refusals SOURCES unit/slirp_refusals.c support/fake_port.c
  support/datagram.c
  LIBS mqvmm_slirp)
mqvmm_test(slirp_move SOURCES unit/move_test.c support/counts.c support/fake_port.c
  support/datagram.c support/host.c
  LIBS mqvmm_slirp TIMEOUT 120)
mqvmm_test(slirp_handoff SOURCES unit/handoff_test.c support/counts.c support/fake_port.c
  support/datagram.c support/host.c
  LIBS mqvmm_slirp)
mqvmm_test(slirp_stay SOURCES unit/stay_test.c support/counts.c support/fake_port.c
  support/datagram.c support/host.c
  LIBS mqvmm_slirp)

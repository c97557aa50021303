# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(slirp_shards SOURCES unit/slirp_shards.c support/fake_port.c
  support/datagram.c
  LIBS mqvmm_slirp TIMEOUT 120)

# SPDX-License-Identifier: BSD-3-Clause
file(GLOB sources CONFIGURE_DEPENDS torture/*.c)
mqvmm_test(torture SOURCES ${sources} support/counts.c support/fake_port.c support/datagram.c
  LIBS mqvmm_slirp TIMEOUT 240)

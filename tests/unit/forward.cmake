# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(options_forward SOURCES unit/options_forward_test.c
  LIBS mqvmm_command)
mqvmm_test(udp_forward
  SOURCES unit/udp_forward_test.c unit/datagram_guest.c support/fake_shard.c
  LIBS mqvmm_slirp)
foreach(name forward forward_change forward_udp)
  mqvmm_test(${name}
    SOURCES unit/${name}_test.c unit/forward_rig.c support/counts.c support/fake_port.c
      support/datagram.c
    LIBS mqvmm_slirp)
endforeach()
mqvmm_test(tcp_local
  SOURCES unit/tcp_local_test.c unit/tcp_guest.c support/fake_shard.c
  LIBS mqvmm_slirp)

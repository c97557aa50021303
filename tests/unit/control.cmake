# SPDX-License-Identifier: BSD-3-Clause
foreach(name server flows pcap change)
  mqvmm_test(control_${name} SOURCES unit/control_${name}.c unit/control_rig.c
    support/fake_port.c support/datagram.c support/host.c LIBS mqvmm_control TIMEOUT 120)
endforeach()
mqvmm_test(slirp_pcap SOURCES unit/pcap_test.c unit/control_rig.c
  support/fake_port.c support/datagram.c support/host.c LIBS mqvmm_control)

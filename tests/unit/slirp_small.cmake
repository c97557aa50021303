# SPDX-License-Identifier: BSD-3-Clause
foreach(name nat timer grace resolv resolv_watch resolvers policy limits udp_filter)
  mqvmm_test(slirp_${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.c
    LIBS mqvmm_slirp)
endforeach()
foreach(name wire arp dhcp udp icmp)
  mqvmm_test(slirp_${name}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.c
      ${CMAKE_CURRENT_LIST_DIR}/datagram_guest.c
      ${CMAKE_CURRENT_LIST_DIR}/../support/fake_shard.c
    LIBS mqvmm_slirp)
endforeach()
foreach(name dns dns_resolvers dns_remembered)
  mqvmm_test(slirp_${name}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.c
      ${CMAKE_CURRENT_LIST_DIR}/dns_rig.c
      ${CMAKE_CURRENT_LIST_DIR}/dns_make.c
      ${CMAKE_CURRENT_LIST_DIR}/datagram_guest.c
      ${CMAKE_CURRENT_LIST_DIR}/../support/fake_shard.c
    LIBS mqvmm_slirp)
endforeach()
mqvmm_test(slirp_dns_cache SOURCES ${CMAKE_CURRENT_LIST_DIR}/dns_cache_test.c
    ${CMAKE_CURRENT_LIST_DIR}/dns_make.c
  LIBS mqvmm_slirp)

foreach(name ndp dhcp6 ip6 reassembly hop)
  mqvmm_test(slirp_${name}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.c
      ${CMAKE_CURRENT_LIST_DIR}/guest6.c
      ${CMAKE_CURRENT_LIST_DIR}/datagram_guest.c
      ${CMAKE_CURRENT_LIST_DIR}/../support/fake_shard.c
    LIBS mqvmm_slirp)
endforeach()

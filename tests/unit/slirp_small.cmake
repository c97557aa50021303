# SPDX-License-Identifier: BSD-3-Clause
foreach(name udp)
  mqvmm_test(${name}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.c
      ${CMAKE_CURRENT_LIST_DIR}/datagram_guest.c
      ${CMAKE_CURRENT_LIST_DIR}/../support/fake_shard.c
    LIBS mqvmm_slirp TIMEOUT 60)
endforeach()

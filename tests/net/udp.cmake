# SPDX-License-Identifier: BSD-3-Clause
foreach(engine io_uring epoll)
  add_test(NAME net/udp_${engine} COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/net/udp.sh $<TARGET_FILE:mqvmm>
    $<TARGET_FILE:mqload> $<TARGET_FILE:bounce> ${engine})
  set_tests_properties(net/udp_${engine} PROPERTIES TIMEOUT 180 LABELS net
    SKIP_RETURN_CODE 77)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
add_executable(netns_run net/netns_run.c)
target_link_libraries(netns_run PRIVATE mqvmm_flags mqvmm_tap)

foreach(engine io_uring epoll)
  add_test(NAME net/nat_${engine} COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/net/nat.sh $<TARGET_FILE:netns_run>
    $<TARGET_FILE:mqload> ${engine})
  set_tests_properties(net/nat_${engine} PROPERTIES TIMEOUT 180 LABELS net
    SKIP_RETURN_CODE 77)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
add_executable(bounce net/bounce.c)
target_link_libraries(bounce PRIVATE mqvmm_flags)

foreach(engine io_uring epoll)
  add_test(NAME net/nat_${engine} COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/net/nat.sh $<TARGET_FILE:mqvmm>
    $<TARGET_FILE:mqload> $<TARGET_FILE:bounce> ${engine})
  set_tests_properties(net/nat_${engine} PROPERTIES TIMEOUT 180 LABELS net
    SKIP_RETURN_CODE 77)
endforeach()

add_test(NAME net/steer COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/steer.sh
  $<TARGET_FILE:mqvmm> $<TARGET_FILE:mqload>)
set_tests_properties(net/steer PROPERTIES TIMEOUT 120 LABELS net
  SKIP_RETURN_CODE 77)

add_test(NAME net/follow COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/follow.sh
  $<TARGET_FILE:mqvmm>)
set_tests_properties(net/follow PROPERTIES TIMEOUT 120 LABELS net
  SKIP_RETURN_CODE 77)

# A library to preload: what is built with sanitizers cannot be counted.
add_library(count_allocations MODULE support/count_allocations.c)
target_link_libraries(count_allocations PRIVATE mqvmm_flags)
add_test(NAME net/budget COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/budget.sh
  $<TARGET_FILE:mqvmm> $<TARGET_FILE:mqload> $<TARGET_FILE:count_allocations>)
set_tests_properties(net/budget PROPERTIES TIMEOUT 180 LABELS net
  SKIP_RETURN_CODE 77)

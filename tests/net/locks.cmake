# SPDX-License-Identifier: BSD-3-Clause
# A library to preload, as with net/budget, and no use beside a sanitizer.
if(NOT MQVMM_SANITIZER STREQUAL "none")
  return()
endif()
add_library(count_locks MODULE support/count_locks.c)
target_link_libraries(count_locks PRIVATE mqvmm_flags)
add_test(NAME net/locks COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/locks.sh
  $<TARGET_FILE:mqvmm> $<TARGET_FILE:mqload> $<TARGET_FILE:bounce>
  $<TARGET_FILE:count_locks>)
set_tests_properties(net/locks PROPERTIES TIMEOUT 180 LABELS net
  SKIP_RETURN_CODE 77)

# SPDX-License-Identifier: BSD-3-Clause
add_test(NAME net/self_connect COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/self_connect.sh
  $<TARGET_FILE:mqvmm> $<TARGET_FILE:mqload>)
set_tests_properties(net/self_connect PROPERTIES TIMEOUT 180 LABELS net
  SKIP_RETURN_CODE 77)

# SPDX-License-Identifier: BSD-3-Clause
add_test(NAME net/policy COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/policy.sh
  $<TARGET_FILE:mqvmm> $<TARGET_FILE:mqload>)
set_tests_properties(net/policy PROPERTIES TIMEOUT 180 LABELS net
  SKIP_RETURN_CODE 77)

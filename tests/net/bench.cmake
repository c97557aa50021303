# SPDX-License-Identifier: BSD-3-Clause
add_test(NAME net/bench COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/bench.sh
  $<TARGET_FILE:mqvmm> $<TARGET_FILE:mqload>)
set_tests_properties(net/bench PROPERTIES TIMEOUT 300 LABELS net
  SKIP_RETURN_CODE 77)

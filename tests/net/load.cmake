# SPDX-License-Identifier: BSD-3-Clause
add_test(NAME net/load COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/load.sh
  $<TARGET_FILE:mqload>)
set_tests_properties(net/load PROPERTIES TIMEOUT 180 LABELS net
  SKIP_RETURN_CODE 77)

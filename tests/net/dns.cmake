# SPDX-License-Identifier: BSD-3-Clause
add_test(NAME net/dns COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/net/dns.sh
  $<TARGET_FILE:mqvmm>)
set_tests_properties(net/dns PROPERTIES TIMEOUT 180 LABELS net
  SKIP_RETURN_CODE 77)

# SPDX-License-Identifier: BSD-3-Clause
foreach(script netns netns_start)
  add_test(NAME net/${script} COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/net/${script}.sh $<TARGET_FILE:mqvmm>
    $<TARGET_FILE:mqload>)
  set_tests_properties(net/${script} PROPERTIES TIMEOUT 180 LABELS net
    SKIP_RETURN_CODE 77)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
# Each group has namespaces of its own: they may run side by side.
foreach(group web iperf transfer ssh nmap redis connections crr)
  add_test(NAME net/programs_${group} COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/net/programs.sh $<TARGET_FILE:mqvmm>
    $<TARGET_FILE:mqload> ${group})
  set_tests_properties(net/programs_${group} PROPERTIES TIMEOUT 180 LABELS net
    SKIP_RETURN_CODE 77)
endforeach()

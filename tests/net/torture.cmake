# SPDX-License-Identifier: BSD-3-Clause
# mqvmm with a bad network, and streams of all shapes through it.
add_executable(lossy net/lossy.c support/lossy_port.c ${PROJECT_SOURCE_DIR}/src/main.c)
target_link_libraries(lossy PRIVATE mqvmm_flags mqvmm_command -Wl,--wrap=setsockopt
  -Wl,--wrap=tap_port_create -Wl,--wrap=tap_port_destroy)
target_include_directories(lossy PRIVATE ${PROJECT_SOURCE_DIR}/tests)
add_executable(torture net/torture.c net/torture_plan.c net/torture_stream.c)
target_link_libraries(torture PRIVATE mqvmm_flags)

foreach(engine io_uring epoll)
  add_test(NAME net/torture_${engine} COMMAND
    ${CMAKE_CURRENT_SOURCE_DIR}/net/torture.sh $<TARGET_FILE:lossy>
    $<TARGET_FILE:torture> $<TARGET_FILE:bounce> ${engine})
  set_tests_properties(net/torture_${engine} PROPERTIES TIMEOUT 400 LABELS net
    SKIP_RETURN_CODE 77)
endforeach()

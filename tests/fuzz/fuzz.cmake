# SPDX-License-Identifier: BSD-3-Clause
# mqvmm_fuzz(NAME LIBS ... [SOURCES ...]): the target of NAME.c. Built with
# -DMQVMM_SANITIZER=fuzzer it is libFuzzer's; else it replays its corpus, as a test.
function(mqvmm_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(fuzz_${name} fuzz/${name}.c fuzz/input.c ${arg_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE mqvmm_flags ${arg_LIBS})
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  if(MQVMM_SANITIZER STREQUAL "fuzzer")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    return()
  endif()
  target_sources(fuzz_${name} PRIVATE fuzz/replay.c)
  add_test(NAME unit/fuzz_${name}
    COMMAND fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
  set_tests_properties(unit/fuzz_${name} PROPERTIES TIMEOUT 120 LABELS unit
    SKIP_RETURN_CODE 77)
endfunction()

set(fuzz_nat fuzz/nat.c fuzz/queue.c fuzz/world.c)
set(fuzz_clock -Wl,--wrap=clock_gettime)
foreach(name frames dhcp dns)
  mqvmm_fuzz(${name} SOURCES ${fuzz_nat} LIBS mqvmm_slirp ${fuzz_clock})
endforeach()
mqvmm_fuzz(control SOURCES ${fuzz_nat} LIBS mqvmm_control ${fuzz_clock}
  -Wl,--wrap=open -Wl,--wrap=unlink)
mqvmm_fuzz(dns_messages LIBS mqvmm_slirp)
mqvmm_fuzz(options LIBS mqvmm_command)
mqvmm_fuzz(vring LIBS mqvmm_virtio)
mqvmm_fuzz(kernel LIBS mqvmm_kvm)

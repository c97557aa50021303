# SPDX-License-Identifier: BSD-3-Clause
# mqvmm_flags: what every target of the project is compiled and linked with.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(mqvmm_flags INTERFACE)
target_compile_definitions(mqvmm_flags INTERFACE _GNU_SOURCE)
target_include_directories(mqvmm_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(mqvmm_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -fvisibility=hidden -g)
target_link_libraries(mqvmm_flags INTERFACE Threads::Threads)

# Hardening, as far as the compiler and the linker know it.
foreach(flag -fPIE -fstack-protector-strong -fstack-clash-protection)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" variable)
  check_c_compiler_flag(${flag} ${variable})
  if(${variable})
    target_compile_options(mqvmm_flags INTERFACE ${flag})
  endif()
endforeach()
check_linker_flag(C "-Wl,-z,relro,-z,now" HAVE_RELRO_NOW)
if(HAVE_RELRO_NOW)
  target_link_options(mqvmm_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

set(MQVMM_SANITIZER "none" CACHE STRING "none, address (with undefined), thread or fuzzer")
if(MQVMM_SANITIZER STREQUAL "none")
  # glibc's checks need an optimizing compiler, and hide calls from sanitizers.
  target_compile_options(mqvmm_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
elseif(MQVMM_SANITIZER STREQUAL "address")
  target_compile_options(mqvmm_flags INTERFACE -fsanitize=address,undefined
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mqvmm_flags INTERFACE -fsanitize=address,undefined)
elseif(MQVMM_SANITIZER STREQUAL "thread")
  target_compile_options(mqvmm_flags INTERFACE -fsanitize=thread)
  target_link_options(mqvmm_flags INTERFACE -fsanitize=thread)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # gcc warns that TSan does not model fences. Those of the rings and of
    # liburcu order atomics that TSan sees as such, and what passes under
    # liburcu's grace periods is told to it (src/slirp/tsan.h).
    target_compile_options(mqvmm_flags INTERFACE -Wno-tsan)
  endif()
elseif(MQVMM_SANITIZER STREQUAL "fuzzer")
  # clang's libFuzzer, with what "address" has: see tests/fuzz/run.sh.
  target_compile_options(mqvmm_flags INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(mqvmm_flags INTERFACE -fsanitize=address,undefined)
else()
  message(FATAL_ERROR "MQVMM_SANITIZER is none, address, thread or fuzzer")
endif()

# SPDX-License-Identifier: BSD-3-Clause
# With few shards and with many, each by both engines: under TSan that makes a
# minute of it, in two tests that run side by side.
if(MQVMM_SANITIZER STREQUAL "thread")
  set(seconds 15)
else()
  set(seconds 1)
endif()
set(MQVMM_TORTURE_SECONDS ${seconds} CACHE STRING "length of each of the four runs of the torture test")
math(EXPR limit "240 + 4 * ${MQVMM_TORTURE_SECONDS}")

file(GLOB sources CONFIGURE_DEPENDS torture/*.c)
mqvmm_test(torture SOURCES ${sources} support/counts.c support/fake_port.c
  LIBS mqvmm_slirp TIMEOUT ${limit}
  ARGS --shards 2 --seconds ${MQVMM_TORTURE_SECONDS})
mqvmm_test_again(torture_many torture TIMEOUT ${limit}
  ARGS --shards 16 --seconds ${MQVMM_TORTURE_SECONDS})

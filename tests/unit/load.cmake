# SPDX-License-Identifier: BSD-3-Clause
foreach(part fairness histogram pattern schedule server_clock timers)
  mqvmm_test(load_${part}
    SOURCES unit/load_${part}.c ${PROJECT_SOURCE_DIR}/bench/load/${part}.c)
  target_include_directories(test_load_${part}
    PRIVATE ${PROJECT_SOURCE_DIR}/bench/load)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(load_histogram
  SOURCES unit/load_histogram.c ${PROJECT_SOURCE_DIR}/bench/load/histogram.c)
target_include_directories(test_load_histogram
  PRIVATE ${PROJECT_SOURCE_DIR}/bench/load)
mqvmm_test(load_pattern
  SOURCES unit/load_pattern.c ${PROJECT_SOURCE_DIR}/bench/load/pattern.c)
target_include_directories(test_load_pattern
  PRIVATE ${PROJECT_SOURCE_DIR}/bench/load)

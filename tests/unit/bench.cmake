# SPDX-License-Identifier: BSD-3-Clause
# What mqvmm bench makes of samples; those of tests/unit/bench were recorded.
find_program(PYTHON3 python3 REQUIRED)
add_test(NAME unit/bench COMMAND ${PYTHON3} -B -m unittest discover -v
  -s ${CMAKE_CURRENT_SOURCE_DIR}/unit/bench -p "test_*.py")
set_tests_properties(unit/bench PROPERTIES TIMEOUT 60 LABELS unit
  ENVIRONMENT PYTHONPATH=${PROJECT_SOURCE_DIR}/bench)

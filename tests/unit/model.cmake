# SPDX-License-Identifier: BSD-3-Clause
add_test(NAME unit/move_model
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/model/check.sh)
set_tests_properties(unit/move_model PROPERTIES TIMEOUT 180 LABELS unit
  SKIP_RETURN_CODE 77)

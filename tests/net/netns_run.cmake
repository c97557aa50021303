# SPDX-License-Identifier: BSD-3-Clause
add_executable(netns_run net/netns_run.c)
target_link_libraries(netns_run PRIVATE mqvmm_flags mqvmm_tap)

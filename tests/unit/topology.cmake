# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(sched_id_set SOURCES unit/sched_id_set.c LIBS mqvmm_sched)
foreach(test sched_topology sched_topology_damaged)
  mqvmm_test(${test} SOURCES unit/${test}.c unit/topology_check.c
    support/fake_host.c LIBS mqvmm_sched)
endforeach()
mqvmm_test(sched_topology_host SOURCES unit/sched_topology_host.c
  unit/topology_check.c LIBS mqvmm_sched)
foreach(test cli_topology cli_topology_formats)
  mqvmm_test(${test} SOURCES unit/${test}.c unit/topology_draw.c
    support/fake_host.c LIBS mqvmm_command)
endforeach()

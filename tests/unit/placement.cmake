# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(sched_placement SOURCES unit/sched_placement.c LIBS mqvmm_sched)
mqvmm_test(sched_placement_random SOURCES unit/sched_placement_random.c
  unit/random_host.c LIBS mqvmm_sched TIMEOUT 120)
mqvmm_test(cli_place SOURCES unit/cli_place.c support/fake_host.c
  LIBS mqvmm_command)
mqvmm_test(sched_placement_guests SOURCES unit/sched_placement_guests.c
  support/fake_host.c LIBS mqvmm_sched TIMEOUT 180)
mqvmm_test(sched_follow SOURCES unit/sched_follow.c LIBS mqvmm_sched)
mqvmm_test(sched_registry SOURCES unit/sched_registry.c LIBS mqvmm_sched)

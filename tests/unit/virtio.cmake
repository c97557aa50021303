# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(vring SOURCES unit/vring.c support/driver.c LIBS mqvmm_virtio)
mqvmm_test(vring_hostile SOURCES unit/vring_hostile.c support/driver.c
  LIBS mqvmm_virtio)

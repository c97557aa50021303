# SPDX-License-Identifier: BSD-3-Clause
foreach(test net_tx net_rx net_device net_hostile net_random net_threads)
  mqvmm_test(${test}
    SOURCES device/${test}.c device/net_rig.c support/driver.c
    LIBS mqvmm_virtio)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
foreach(test virtio_pci_negotiate virtio_pci_queues virtio_pci_hostile)
  mqvmm_test(${test}
    SOURCES device/${test}.c device/virtio_pci_rig.c support/pci_rig.c
      support/fake_irq.c
    LIBS mqvmm_virtio)
endforeach()

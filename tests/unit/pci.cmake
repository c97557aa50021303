# SPDX-License-Identifier: BSD-3-Clause
foreach(test pci_config pci_bars pci_msix pci_intx)
  mqvmm_test(${test}
    SOURCES unit/${test}.c unit/pci_device.c support/pci_rig.c
      support/fake_irq.c
    LIBS mqvmm_pci)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
foreach(name guest_memory ram_node bus serial rtc irq)
  mqvmm_test(kvm_${name} SOURCES ${CMAKE_CURRENT_LIST_DIR}/kvm_${name}.c LIBS mqvmm_kvm)
endforeach()
mqvmm_test(kvm_machine
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/kvm_machine.c ${CMAKE_CURRENT_LIST_DIR}/boot_support.c
  LIBS mqvmm_kvm)

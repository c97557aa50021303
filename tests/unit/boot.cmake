# SPDX-License-Identifier: BSD-3-Clause
foreach(name boot_bzimage boot_elf boot_load boot_map)
  mqvmm_test(${name}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c ${CMAKE_CURRENT_LIST_DIR}/boot_support.c
    LIBS mqvmm_kvm)
endforeach()
foreach(name acpi_tables acpi_numa acpi_disassemble)
  mqvmm_test(${name}
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}.c ${CMAKE_CURRENT_LIST_DIR}/acpi_support.c
      ${CMAKE_CURRENT_LIST_DIR}/boot_support.c
    LIBS mqvmm_kvm)
endforeach()
mqvmm_test(boot_probe SOURCES ${CMAKE_CURRENT_LIST_DIR}/boot_probe.c LIBS mqvmm_kvm)
mqvmm_test(cpuid_topology SOURCES ${CMAKE_CURRENT_LIST_DIR}/cpuid_topology.c LIBS mqvmm_kvm)

# SPDX-License-Identifier: BSD-3-Clause
# Sets KVM_BOOT_SOURCES: boot protocols, ACPI tables, CPUID, the speed probe.
# dsdt.hex is the compiled DSDT as a C array, included by acpi.c.
find_program(IASL iasl REQUIRED)
set(dsdt ${CMAKE_CURRENT_BINARY_DIR}/dsdt)
add_custom_command(
  OUTPUT ${dsdt}.hex
  COMMAND ${IASL} -vs -we -tc -p ${dsdt} ${CMAKE_CURRENT_SOURCE_DIR}/dsdt.asl
  COMMAND sed -i "s/^unsigned char/static const unsigned char/" ${dsdt}.hex
  DEPENDS dsdt.asl
  COMMENT "Compiling dsdt.asl"
  VERBATIM)
set_source_files_properties(acpi.c PROPERTIES
  INCLUDE_DIRECTORIES ${CMAKE_CURRENT_BINARY_DIR}
  OBJECT_DEPENDS ${dsdt}.hex)
set(KVM_BOOT_SOURCES acpi.c acpi_area.c acpi_cpu.c
  acpi_numa.c boot.c boot_file.c boot_mp.c boot_pvh.c boot_ram.c
  boot_vcpu.c bzimage.c cpuid.c elf.c probe.c ${dsdt}.hex)

# SPDX-License-Identifier: BSD-3-Clause
# Booted with pci=nomsi, the device interrupts through a pin.
. /checks/lib.sh
vectors >/run/before
cat /run/before
! grep -q MSI /run/before || fail "MSI in spite of pci=nomsi"
[ "$(wc -l </run/before)" = 1 ] || fail "$(wc -l </run/before) lines of interrupts, not one"
load crr --flows 4 --count 1000
vectors >/run/after
[ "$(cut -d ' ' -f 2 /run/after)" -gt "$(cut -d ' ' -f 2 /run/before)" ] ||
	fail "the pin never interrupted"

# SPDX-License-Identifier: BSD-3-Clause
# Not a check: shows what the guest is, for a person who looks into a failure.
. /checks/lib.sh
uname -a
dmesg | tail -n 60
ip addr
cat /proc/interrupts

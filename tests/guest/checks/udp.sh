# SPDX-License-Identifier: BSD-3-Clause
# Datagrams are echoed whole, the largest that needs no fragments included.
. /checks/lib.sh
load udp --flows 4 --count 2000 --timeout 5
load udp --flows 4 --count 400 --size 1472 --timeout 5

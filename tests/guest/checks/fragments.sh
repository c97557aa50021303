# SPDX-License-Identifier: BSD-3-Clause
# The longest datagrams come and go in fragments, and so do pings.
. /checks/lib.sh
# Two at a time are what the server's socket has room for.
load udp --flows 2 --count 100 --size 65507 --timeout 5
load udp --flows 4 --count 400 --size 1473 --timeout 5
ping -c 2 -i 0.2 -s 8000 -W 2 $host | tee /run/ping
grep -q ' 0% packet loss' /run/ping || fail "lost pings"

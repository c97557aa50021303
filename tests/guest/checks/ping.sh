# SPDX-License-Identifier: BSD-3-Clause
# The gateway answers pings.
. /checks/lib.sh
ping -c 3 -i 0.2 -W 2 $host | tee /run/ping
grep -q ' 0% packet loss' /run/ping || fail "lost pings"

# SPDX-License-Identifier: BSD-3-Clause
# Names are resolved through the VMM's forwarder; what does not exist does not.
. /checks/lib.sh
nslookup mqvmm.example 10.0.2.3 >/run/dns 2>&1 || fail "$(cat /run/dns)"
grep -q '192\.0\.2\.7' /run/dns || fail "wrong answer: $(tr '\n' ' ' </run/dns)"
! nslookup nx.mqvmm.example 10.0.2.3 >/run/dns 2>&1 || fail "nx.mqvmm.example has an address"
grep -q NXDOMAIN /run/dns || fail "no NXDOMAIN: $(tr '\n' ' ' </run/dns)"

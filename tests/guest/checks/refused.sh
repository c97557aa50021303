# SPDX-License-Identifier: BSD-3-Clause
# A port of the host where nobody listens refuses at once.
. /checks/lib.sh
mqload crr --to $host:1 --count 20 --timeout 2 >/run/load && fail "port 1 answers"
cat /run/load
grep -q ' errors=20 refused=20 ' /run/load || fail "not refused: $(cat /run/load)"

# SPDX-License-Identifier: BSD-3-Clause
# curl fetches a file over HTTP; its checksum is the one that the host gets.
. /checks/lib.sh
command -v curl || skip "no curl in this image"
sum=$(curl -sS --max-time 20 "http://$host:$mq_port/1000000" | md5sum | cut -d ' ' -f 1)
[ "$sum" = "$mq_md5" ] || fail "MD5 $sum, not $mq_md5"

# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A gibibyte each way, compared by checksum.

gibibyte_is_downloaded() {
	guest_shell "socat -u TCP:10.0.2.2:6001 - | cksum" >"$work/downloaded"
	cmp "$work/downloaded" "$work/sum"
}

# Its server ends when it has told the sum.
gibibyte_is_uploaded() {
	guest_shell "numbers $gibibyte | socat -u - TCP:10.0.2.2:6002" &&
		within 10 [ -s "$work/uploaded" ] &&
		cmp "$work/uploaded" "$work/sum"
}

need socat
gibibyte=1073741824
numbers $gibibyte | cksum >"$work/sum"
serve t 6001 bash -c \
	"numbers $gibibyte | socat -u - TCP-LISTEN:6001,reuseaddr"
serve t 6002 bash -c \
	"socat -u TCP-LISTEN:6002,reuseaddr - | cksum >$work/uploaded"
check "1 GiB is downloaded" gibibyte_is_downloaded
check "1 GiB is uploaded" gibibyte_is_uploaded

# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# ssh and rsync with an sshd on the host's side.

# sshd wants its folder, and a root whom it lets in.
start_sshd() {
	need ssh sshd ssh-keygen
	mount -t tmpfs tmpfs /run && mkdir /run/sshd
	sed 's/^root:[^:]*/root:*/' /etc/shadow >"$work/shadow"
	mount --bind "$work/shadow" /etc/shadow
	ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$work/key"
	cat >"$work/sshd_config" <<-END
		Port 2222
		ListenAddress 127.0.0.1
		HostKey $work/host_key
		AuthorizedKeysFile $work/key.pub
		PidFile none
		UsePAM no
		StrictModes no
		PermitRootLogin prohibit-password
	END
	echo "[10.0.2.2]:2222 $(cut -d' ' -f1,2 "$work/host_key.pub")" \
		>"$work/known_hosts"
	ssh="ssh -F none -p 2222 -i $work/key -o BatchMode=yes -o ConnectTimeout=10"
	ssh+=" -o UserKnownHostsFile=$work/known_hosts"
	serve t 2222 "$(command -v sshd)" -D -e -f "$work/sshd_config"
}

ssh_passes_the_exit_status() {
	local status=0
	guest_shell "$ssh root@10.0.2.2 exit 7" || status=$?
	[ $status = 7 ]
}

ssh_carries_a_stream_both_ways() {
	[ "$(guest_shell "numbers 50000000 | $ssh root@10.0.2.2 cat | cksum")" = \
		"$(numbers 50000000 | cksum)" ]
}

make_tree() {
	mkdir -p "$work/tree/a/b"
	numbers 20000000 >"$work/tree/a/large"
	for i in $(seq 300); do
		echo "$i" >"$work/tree/a/b/$i"
	done
}

rsync_copies_both_ways() {
	guest_shell "rsync -a -e '$ssh' $work/tree/ root@10.0.2.2:$work/up/
		rsync -a -e '$ssh' root@10.0.2.2:$work/up/ $work/down/" &&
		diff -r "$work/tree" "$work/up" && diff -r "$work/tree" "$work/down"
}

rsync_brings_changes() {
	echo more >>"$work/tree/a/large"
	rm "$work/tree/a/b/7"
	guest_shell "rsync -a --delete -e '$ssh' $work/tree/ root@10.0.2.2:$work/up/" &&
		diff -r "$work/tree" "$work/up"
}

need rsync
start_sshd
make_tree
check "ssh passes the exit status" ssh_passes_the_exit_status
check "ssh carries a stream both ways" ssh_carries_a_stream_both_ways
check "rsync copies both ways" rsync_copies_both_ways
check "rsync brings changes" rsync_brings_changes

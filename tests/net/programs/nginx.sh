# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# An nginx on the host's side, for those who need one.

# write_nginx_config FILE PORT ADDRESS...: to listen there
write_nginx_config() {
	local file=$1 port=$2
	shift 2
	cat >"$file" <<-END
		user root;
		daemon off;
		worker_processes 2;
		worker_rlimit_nofile 16384;
		pid $file.pid;
		error_log $work/nginx.log warn;
		events { worker_connections 8192; }
		http {
			access_log off;
			keepalive_requests 1000000;
			client_max_body_size 1g;
			client_body_temp_path $work/bodies;
			proxy_temp_path $work/proxy;
			fastcgi_temp_path $work/fastcgi;
			uwsgi_temp_path $work/uwsgi;
			scgi_temp_path $work/scgi;
			server {
				$(printf "listen %s:$port backlog=4096;" "$@")
				root $work/www;
				location = /ok { return 200 "ok\n"; }
				location = /post {
					client_body_in_file_only on;
					add_header File \$request_body_file;
					proxy_pass http://127.0.0.1:$port/ok;
					proxy_method GET;
					proxy_pass_request_body off;
				}
			}
		}
	END
}

# On port 8000, by each family that there is.
start_nginx() {
	need nginx
	local addresses=(127.0.0.1)
	[ ! -e /proc/net/if_inet6 ] || addresses+=("[::1]")
	mkdir "$work/www"
	numbers 100000 >"$work/www/small"
	numbers 50000000 >"$work/www/large"
	write_nginx_config "$work/nginx.conf" 8000 "${addresses[@]}"
	serve t 8000 nginx -c "$work/nginx.conf"
}

# SPDX-License-Identifier: BSD-3-Clause
# The splice over a fake shard and real loopback sockets.
set(tcp_support support/fake_shard.c unit/tcp_guest.c)
foreach(area open accept refuse push sequence pull urgent flight timer close time_wait dns)
  mqvmm_test(tcp_${area} SOURCES unit/tcp_${area}_test.c ${tcp_support}
    LIBS mqvmm_slirp)
endforeach()

# A host whose kernel has no SO_PEEK_OFF for TCP.
set(tcp_no_peek ${tcp_support} support/no_peek_off.c)
mqvmm_test(tcp_peek SOURCES unit/tcp_peek_test.c ${tcp_no_peek}
  LIBS mqvmm_slirp -Wl,--wrap=setsockopt)
foreach(area urgent flight)
  mqvmm_test(tcp_${area}_no_peek SOURCES unit/tcp_${area}_test.c ${tcp_no_peek}
    LIBS mqvmm_slirp -Wl,--wrap=setsockopt)
endforeach()

# SPDX-License-Identifier: BSD-3-Clause
mqvmm_test(cli_options SOURCES unit/cli_options.c LIBS mqvmm_command)
mqvmm_test(cli_netns SOURCES unit/cli_netns.c LIBS mqvmm_command)

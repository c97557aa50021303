# SPDX-License-Identifier: BSD-3-Clause
# 10,000 connections from 8 concurrent flows, without one error.
. /checks/lib.sh
load crr --flows "${mq_flows:-8}" --count "${mq_crr:-10000}"

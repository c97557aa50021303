# SPDX-License-Identifier: BSD-3-Clause
# Streams both ways, every byte checked and checksums of both ends compared.
. /checks/lib.sh
load up --flows 4 --verify --count "${mq_bulk:-64M}"
load down --flows 4 --verify --count "${mq_bulk:-64M}"

# SPDX-License-Identifier: BSD-3-Clause
# Reads the JUnit file that ctest writes and prints "N passed, N failed, N
# skipped" over all checks: a cmocka program tells how many it made, nat.sh
# prints one "ok" or "not ok" for each, Python's unittest a sum, any other test
# counts as one. What was skipped is told before, one line each.
function finish(    sum) {
	sum = p + f + s
	if (status == "run" && sum == 0)
		p = 1
	else if (status == "fail" && f == 0)
		f = 1
	else if (status == "notrun" || status == "disabled") {
		if (sum == 0)
			s = 1
		print "skipped: " name ": " (why == "" ? "no reason given" : why)
	}
	passed += p
	failed += f
	skipped += s
}

# The attribute of a <testcase> line.
function attribute(key,    rest) {
	if (!match($0, " " key "=\"[^\"]*\""))
		return ""
	rest = substr($0, RSTART, RLENGTH)
	gsub("^ " key "=\"|\"$", "", rest)
	return rest
}

/<testcase / {
	p = f = s = 0
	why = ""
	summing = 0
	name = attribute("name")
	status = attribute("status")
}
/^(.*<system-out>)?\[  PASSED  \] [0-9]+ test/ { p += $4 }
/^(.*<system-out>)?\[  FAILED  \] [0-9]+ test/ { f += $4 }
/^(.*<system-out>)?\[  SKIPPED \] [0-9]+ test/ { s += $4 }
/^(.*<system-out>)?ok - / { p++ }
/^(.*<system-out>)?not ok - / { f++ }
/^(.*<system-out>)?skipped: / { why = $0; sub(/^.*skipped: /, "", why) }
/^Ran [0-9]+ tests? in / { ran = $2 }
/^OK($| |<)/ { p += ran }
/^\[==========\] [0-9]+ test\(s\) run/ { summing = 1 }
/^\[  SKIPPED \] [^0-9]/ && !summing {
	print "skipped: " name ": " $4
}
/<\/testcase>/ { finish() }
END {
	print passed + 0 " passed, " failed + 0 " failed, " skipped + 0 " skipped"
}

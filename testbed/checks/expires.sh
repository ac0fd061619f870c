# machine: hybrid-expires
# Linux 4.18 takes back what a CPU has not used of its slice: cgtune diagnose says so by trying it, and names it where it hurts.
. /testbed/lib.sh
below_its_quota
tune diagnose --for 5s /cgtune-below
says "without a probe the version makes it suspect" /tmp/out "kernel-expiry-bug"
says "and what would make sure is said" /tmp/out "--probe-kernel tries it"
tune diagnose --for 5s --probe-kernel /cgtune-below
equals "exit code" "$code" 0
says "the probe" /tmp/out "This kernel takes unused quota away"
says "the cause" /tmp/out "kernel-expiry-bug"
cgtune diagnose --for 5s --probe-kernel --json /cgtune-below > /tmp/out
says "JSON: the probe" /tmp/out '"kernel_expiry": "expires"'
says "JSON: the cause" /tmp/out '"cause": "kernel-expiry-bug"'
says "JSON: how sure" /tmp/out '"confidence": "high"'
end_below_its_quota

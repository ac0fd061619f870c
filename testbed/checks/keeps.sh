# machine: hybrid-keeps
# Linux 5.3 with the fix: cgtune diagnose says so by trying it, and the version accuses nobody any more.
. /testbed/lib.sh
below_its_quota
tune diagnose --for 5s --probe-kernel /cgtune-below
equals "exit code" "$code" 0
says "the probe" /tmp/out "This kernel keeps unused quota"
verdict "nobody blames the kernel" sh -c '! grep -q kernel-expiry-bug /tmp/out'
cgtune diagnose --for 5s --probe-kernel --json /cgtune-below > /tmp/out
says "JSON: the probe" /tmp/out '"kernel_expiry": "kept"'
end_below_its_quota

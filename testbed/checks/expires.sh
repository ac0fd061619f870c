# machine: hybrid-expires
# Linux 4.18 takes back what a CPU has not used of its slice: cgtune diagnose says so by trying it, and names it where it hurts.
. /testbed/lib.sh
group=$cg/cpu/cgtune-below
mkdir $group
sh -c 'echo 0 > "$0/tasks"; exec cgtune visit-cpus 0-7' $group &
load=$!
sleep 1
# It uses 9.6 ms of every 100 ms.
echo 13100 > $group/cpu.cfs_quota_us
sleep 0.5
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
kill -9 $load
wait $load 2> /dev/null
rmdir $group

# machine: hybrid-keeps
# Linux 5.3 with the fix: the same load is never throttled, and the version alone accuses nobody once the kernel was tried.
. /testbed/lib.sh
group=$cg/cpu/cgtune-below
mkdir $group
sh -c 'echo 0 > "$0/tasks"; exec cgtune visit-cpus 0-7' $group &
load=$!
sleep 1
echo 13100 > $group/cpu.cfs_quota_us
sleep 0.5
tune diagnose --for 5s --probe-kernel /cgtune-below
equals "exit code" "$code" 0
says "the probe" /tmp/out "This kernel keeps unused quota"
verdict "nobody blames the kernel" sh -c '! grep -q kernel-expiry-bug /tmp/out'
cgtune diagnose --for 5s --probe-kernel --json /cgtune-below > /tmp/out
says "JSON: the probe" /tmp/out '"kernel_expiry": "kept"'
kill -9 $load
wait $load 2> /dev/null
rmdir $group

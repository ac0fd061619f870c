# machine: v2
# The hierarchy mounted elsewhere than at /sys/fs/cgroup.
. /testbed/lib.sh
mkdir -p /tmp/unified $cg/cgtune-elsewhere
echo "20000 100000" > $cg/cgtune-elsewhere/cpu.max
/usr/bin/unshare -m sh -c 'umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /tmp/unified; cgtune stat /cgtune-elsewhere' > /tmp/out 2>&1
cat /tmp/out
says "its limit" /tmp/out "0.200 CPUs, set here"
rmdir $cg/cgtune-elsewhere

# machine: v2
# Inside a cgroup namespace: with a fresh mount, as a container has it, and with the host's.
. /testbed/lib.sh
box=$cg/cgtune-box
mkdir $box
echo "30000 100000" > $box/cpu.max
# fresh DIR COMMAND…: inside a namespace of the cgroup, with a mount of its own.
fresh() {
    (
        echo 0 > "$1/cgroup.procs"
        shift
        exec /usr/bin/unshare -C -m sh -c 'umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"' sh "$@"
    ) > /tmp/out 2>&1
    code=$?
    cat /tmp/out
}

fresh $box cgtune stat
says "its own limit" /tmp/out "0.300 CPUs, set here; this is a container's view"
fresh $box cgtune stat --json > /dev/null
says "JSON: the view is limited" /tmp/out '"view": "limited"'
mkdir $box/pod
fresh $box/pod cgtune stat
says "an unseen limit above is not denied" /tmp/out "none visible; this is a container's view, limits above"
fresh $box/pod cgtune stat 1
equals "a process outside: exit code" $code 2
says "a process outside" /tmp/out "lies outside what is visible here"

echo "-- the host's mount kept, as in a pod that mounts the node's cgroups"
(echo 0 > $box/pod/cgroup.procs; exec /usr/bin/unshare -C sh -c 'cgtune stat; cgtune stat --all --for 1s') > /tmp/out 2>&1
cat /tmp/out
says "under its own name" /tmp/out /cgtune-box/pod
says "the ancestor's limit" /tmp/out "0.300 CPUs, set by the ancestor /cgtune-box"
says "the whole is visible" /tmp/out "cgroups with a quota"
rmdir $box/pod $box

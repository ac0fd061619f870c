# machine: v2
# cgtune apply inside a cgroup namespace with a mount of its own, as in a container: its root is an ordinary group there.
. /testbed/lib.sh
box=$cg/cgtune-box
mkdir $box
fresh() {
    (
        echo 0 > "$box/cgroup.procs"
        exec /usr/bin/unshare -C -m sh -c 'umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"' sh "$@"
    ) > /tmp/out 2>&1
    code=$?
    cat /tmp/out
}
fresh cgtune apply / --quota 30ms --burst 10ms --yes --journal /tmp/box
equals "exit code" "$code" 0
equals "seen from outside" "$(cat $box/cpu.max $box/cpu.max.burst | tr '\n' ' ')" "30000 100000 10000 "
fresh cgtune apply /../holder --quota 30ms --yes --journal /tmp/box
equals "no way out: exit code" "$code" 2
fresh cgtune undo --journal /tmp/box
equals "undo: exit code" "$code" 0
equals "as before" "$(cat $box/cpu.max $box/cpu.max.burst | tr '\n' ' ')" "max 100000 0 "
tune apply / --quota 30ms --yes --journal /tmp/box
equals "the machine's own root: exit code" "$code" 2
says "and why" /tmp/out "v2 root"
rm -r /tmp/box
rmdir $box

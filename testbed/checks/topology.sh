# machine: v2
# cgtune topology: the CPUs as this kernel shows them, and which groups hold CPUs of their own: a partition, one that asks for
# fewer, and not one that takes what the group above has.
. /testbed/lib.sh
echo "+cpuset" > $cg/cgroup.subtree_control
mkdir $cg/cgtune-partition $cg/cgtune-fewer $cg/cgtune-all
echo 1 > $cg/cgtune-partition/cpuset.cpus
echo root > $cg/cgtune-partition/cpuset.cpus.partition

tune topology
equals "exit code" "$code" 0
says "CPUs" /tmp/out "2 CPUs online: "
says "the partition" /tmp/out "CPU 1, partition: root, 0 processes"

echo member > $cg/cgtune-partition/cpuset.cpus.partition
echo 0 > $cg/cgtune-fewer/cpuset.cpus
tune topology
says "one that asks for fewer" /tmp/out "CPU 0, 0 processes"
says "and what was a partition" /tmp/out "CPU 1, 0 processes"
verdict "what the group above has is nobody's own" [ "$(grep -c '^  /cgtune-' /tmp/out)" = 2 ]

cgtune topology --json > /tmp/machine.json
tune topology --from /tmp/machine.json
says "read back" /tmp/out "2 CPUs online: "
rmdir $cg/cgtune-partition $cg/cgtune-fewer $cg/cgtune-all
echo "-cpuset" > $cg/cgroup.subtree_control

# machine: hybrid
# cgtune pin verify: v1 takes a CPU that goes offline out of cpuset.cpus, and does not put it back: nobody wrote that.
. /testbed/lib.sh
for controller in cpu cpuset; do mkdir $cg/$controller/cgtune-pinned; done
pinned=$cg/cpuset/cgtune-pinned
echo 0 > $pinned/cpuset.mems
echo 0-1 > $pinned/cpuset.cpus
echo 0 > /sys/devices/system/cpu/cpu1/online
# The kernel's own work item does that.
sleep 0.5
equals "the kernel takes it out of the set" "$(cat $pinned/cpuset.cpus)" 0
tune pin verify /cgtune-pinned --cpus 0-1
says "it is named" /tmp/out "in force is CPU 0, without 1: 1 is offline"
verdict "and nobody is blamed" [ "$(grep -c set-differs /tmp/out)" = 0 ]
echo 1 > /sys/devices/system/cpu/cpu1/online
sleep 0.5
equals "it does not put it back" "$(cat $pinned/cpuset.cpus)" 0
tune pin verify /cgtune-pinned --cpus 0-1
says "now the set differs" /tmp/out set-differs
says "and what may have been is said" /tmp/out "offline once"
for controller in cpu cpuset; do rmdir $cg/$controller/cgtune-pinned; done

# machine: systemd
# What systemd does to values that somebody else wrote: to cpu.max, cpu.max.burst, cpu.weight and cpuset.cpus of units
# with settings of their own (`managed`) and without (`plain`). The verdicts state what systemd 252 was seen to do;
# cgtune's advice rests on them.
. /testbed/lib.sh
system=$cg/system.slice
unit() { printf '[Service]\nExecStart=/bin/sleep infinity\n%s\n' "$2" > "/run/systemd/system/$1.service"; }

# What systemd was told is done once it has answered another question.
ctl() { systemctl "$@" && systemctl is-system-running > /dev/null; true; }
set_property() { ctl set-property --runtime "$@"; }

values() { echo "$(cat "$1/cpu.max"), burst $(cat "$1/cpu.max.burst"), weight $(cat "$1/cpu.weight"), cpus $(cat "$1/cpuset.cpus")"; }

# by_hand DIR: writes all four.
by_hand() {
    echo 30000 100000 > "$1/cpu.max"
    echo 10000 > "$1/cpu.max.burst"
    echo 77 > "$1/cpu.weight"
    echo 0 > "$1/cpuset.cpus"
}
# fate DIR: which of these are still there.
fate() {
    [ "$(cat "$1/cpu.max")" = "30000 100000" ] && printf 'cpu.max kept' || printf 'cpu.max reverted'
    [ "$(cat "$1/cpu.max.burst")" = 10000 ] && printf ', burst kept' || printf ', burst reverted'
    [ "$(cat "$1/cpu.weight")" = 77 ] && printf ', weight kept' || printf ', weight reverted'
    [ "$(cat "$1/cpuset.cpus")" = 0 ] && printf ', cpus kept' || printf ', cpus reverted'
}
all_kept="cpu.max kept, burst kept, weight kept, cpus kept"
burst_kept="cpu.max reverted, burst kept, weight reverted, cpus reverted"
# A unit without AllowedCPUs gets an empty cpuset.cpus, which Linux 6.1 refuses while it has processes (ENOSPC).
burst_and_cpus_kept="cpu.max reverted, burst kept, weight reverted, cpus kept"

# after WHAT COMMAND…: both units are written by hand, then the command. Sets `managed` and `plain` to their fates.
after() {
    by_hand $system/managed.service
    by_hand $system/plain.service
    what=$1
    shift
    "$@"
    managed=$(fate $system/managed.service) plain=$(fate $system/plain.service)
    echo "-- after $what"
    echo "   managed: $(values $system/managed.service)"
    echo "   plain:   $(values $system/plain.service)"
}

systemctl --version | head -1
equals "PID 1" "$(cat /proc/1/comm)" systemd
unit demo ''
unit plain ''
unit given 'Delegate=yes'
unit managed 'CPUQuota=50%
CPUWeight=200
AllowedCPUs=0-1'
ctl daemon-reload
ctl start demo managed plain given

echo "-- systemd writes"
set_property demo.service CPUQuota=50%
equals "set-property CPUQuota=50%: cpu.max" "$(cat $system/demo.service/cpu.max)" "50000 100000"
tune stat /system.slice/demo.service
says "cgtune sees it" /tmp/out "0.500 CPUs, set here"

echo "-- somebody else writes: cpu.max 30000 100000, burst 10000, weight 77, cpus 0"
after "daemon-reload" ctl daemon-reload
equals "daemon-reload, managed unit" "$managed" "$burst_kept"
equals "daemon-reload, plain unit" "$plain" "$burst_and_cpus_kept"
after "daemon-reexec" ctl daemon-reexec
equals "daemon-reexec, managed unit" "$managed" "$burst_kept"
equals "daemon-reexec, plain unit" "$plain" "$burst_and_cpus_kept"
after "set-property TasksMax of managed" set_property managed.service TasksMax=100
equals "set-property of an unrelated property, that managed unit" "$managed" "$burst_kept"
equals "the other unit" "$plain" "$all_kept"
after "set-property TasksMax of plain" set_property plain.service TasksMax=100
equals "set-property of an unrelated property, that plain unit" "$plain" "$burst_and_cpus_kept"
equals "the other unit" "$managed" "$all_kept"
after "set-property CPUQuota of demo, their sibling" set_property demo.service CPUQuota=30%
equals "set-property of a sibling" "$managed; $plain" "$all_kept; $all_kept"
after "restart" ctl restart managed plain
equals "restart makes a new group, managed unit" "$(cat $system/managed.service/cpu.max.burst)" 0
equals "restart makes a new group, plain unit" "$(cat $system/plain.service/cpu.max.burst)" 0

echo "-- who else: a group of no unit, one below a delegated unit, that unit, a scope (as containers have), slices"
systemd-run --quiet --scope --unit=box sleep infinity > /dev/null 2>&1 &
while [ ! -e $system/box.scope ]; do sleep 0.2; done
ctl start user.slice
mkdir $cg/foreign $system/given.service/inner
systemctl show --property=MainPID --value given > $system/given.service/inner/cgroup.procs
echo "+cpu +cpuset" > $system/given.service/cgroup.subtree_control
set -- $cg/foreign $system/given.service/inner $system/given.service $system/box.scope $system $cg/user.slice
for dir; do by_hand "$dir"; done
ctl daemon-reload
equals "daemon-reload, a group of no unit" "$(fate $cg/foreign)" "$all_kept"
equals "daemon-reload, below a delegated unit" "$(fate $system/given.service/inner)" "$all_kept"
equals "daemon-reload, the delegated unit" "$(fate $system/given.service)" "$burst_and_cpus_kept"
equals "daemon-reload, a scope" "$(fate $system/box.scope)" "$burst_and_cpus_kept"
equals "daemon-reload, system.slice" "$(fate $system)" "$burst_and_cpus_kept"
equals "daemon-reload, user.slice without processes" "$(fate $cg/user.slice)" "$burst_kept"
for dir; do echo "   ${dir#"$cg"}: $(values "$dir")"; done
rmdir $cg/foreign

echo "-- a CPUQuota below the present burst"
dir=$system/managed.service
set_property managed.service CPUQuota=50%
echo 40000 > $dir/cpu.max.burst
set_property managed.service CPUQuota=20%
echo "   $(values $dir); systemd says $(systemctl show --property=CPUQuotaPerSecUSec managed), systemctl's exit code 0"
equals "CPUQuota=20% under a burst of 40 ms is not applied: cpu.max" "$(cat $dir/cpu.max)" "50000 100000"
equals "systemd believes it is" "$(systemctl show --property=CPUQuotaPerSecUSec --value managed)" 200ms
journalctl --boot --output=cat --unit=managed | grep "Failed to set 'cpu.max'" | tail -1 | tee /tmp/out
says "its journal says why" /tmp/out "to '20000 100000': Invalid argument"
echo 0 > $dir/cpu.max.burst
ctl daemon-reload
equals "without the burst, after daemon-reload: cpu.max" "$(cat $dir/cpu.max)" "20000 100000"
set_property managed.service CPUQuota=50%
echo 40000 > $dir/cpu.max.burst
set_property managed.service CPUQuota=
equals "CPUQuota= (none) leaves the burst: cpu.max, burst" "$(cat $dir/cpu.max), $(cat $dir/cpu.max.burst)" "max 100000, 40000"

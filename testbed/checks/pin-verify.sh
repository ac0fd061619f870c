# machine: v2-numa
# cgtune pin verify: what only a machine of one's own can show: a CPU that goes offline and comes back, in a group and in a
# partition, and a device that interrupts a pinned CPU.
. /testbed/lib.sh
pinned=$cg/cgtune-pinned
echo "+cpuset" > $cg/cgroup.subtree_control
mkdir $pinned
echo 2-3 > $pinned/cpuset.cpus
sh -c 'echo 0 > "$0/cgroup.procs"; exec sleep 600' $pinned > /dev/null &
sleeper=$!

online() { echo "$2" > "/sys/devices/system/cpu/cpu$1/online"; }
# becomes FILE TEXT: waits until the file holds it; the kernel hears of its own CPUs a moment later.
becomes() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(cat "$1")" != "$2" ] || return 0
        sleep 0.2
    done
    return 1
}
unsaid() { ! grep -qF -- "$2" "$1"; }

# --- A CPU of a group.
cgtune pin verify /cgtune-pinned --watch --for 6s --json > /tmp/watch 2>&1 &
watch=$!
sleep 2
online 3 0
verdict "the kernel takes it out of what is in force" becomes $pinned/cpuset.cpus.effective 2
equals "and not out of the set" "$(cat $pinned/cpuset.cpus)" 2-3
tune pin verify /cgtune-pinned
equals "exit code" "$code" 0
says "it is named" /tmp/out "in force is CPU 2, without 3: 3 is offline"
says "and how it comes back" /tmp/out "echo 1 > /sys/devices/system/cpu/cpu3/online"
online 3 1
verdict "and then it has it again" becomes $pinned/cpuset.cpus.effective 2-3
wait $watch
says "watched: the CPU" /tmp/watch '"missing": "3"'
says "watched: why" /tmp/watch '"culprit": "offline"'
equals "watched: nobody else is blamed" "$(grep -c '"finding": "narrowed"' /tmp/watch)" 1
still=$(sed -n '/"finding": "narrowed"/,/"still"/s/.*"still": //p' /tmp/watch)
equals "watched: still so at the end" "$still" false
verdict "watched: no thread is blamed" unsaid /tmp/watch '"finding": "thread-'
tune pin verify /cgtune-pinned
verdict "nothing of that is left" unsaid /tmp/out narrowed

# --- The only CPU of a partition.
partition=$pinned/cpuset.cpus.partition
echo 3 > $pinned/cpuset.cpus
echo root > $partition
equals "a partition" "$(cat $partition)" root
online 3 0
verdict "without its CPU it is none" becomes $partition "root invalid (No cpu available due to hotplug)"
tune pin verify /cgtune-pinned
says "that is told" /tmp/out partition-invalid
says "in the kernel's words" /tmp/out "not in force: No cpu available due to"
says "with what helps" /tmp/out "online brings its CPUs back"
says "with why" /tmp/out "without 3: 3 is offline"
online 3 1
verdict "with it, it is one again" becomes $partition root
tune pin verify /cgtune-pinned
verdict "and nothing is told" unsaid /tmp/out partition-invalid
echo member > $partition

# --- A device: the second serial port, which interrupts for each write.
echo 1 > $pinned/cpuset.cpus
dd if=/dev/zero of=/dev/ttyS1 bs=1 2> /dev/null &
writer=$!
sleep 0.2
# Its interrupt is there as long as somebody has it open.
echo 1 > /proc/irq/3/smp_affinity_list
tune pin verify /cgtune-pinned --watch --for 500ms
says "the interrupt is named" /tmp/out "interrupt 3 (IO-APIC 3-edge ttyS1) came to CPU 1"
remedy=$(sed -n 's/.*: \(echo .* > \/proc\/irq\/3\/smp_affinity_list\).*/\1/p' /tmp/out)
equals "and where else it could go" "$remedy" "echo 0,2-3 > /proc/irq/3/smp_affinity_list"
eval "$remedy"
tune pin verify /cgtune-pinned --watch --for 500ms
verdict "and there it does not matter" unsaid /tmp/out "interrupt 3 "
kill -9 $writer $sleeper
wait $writer $sleeper 2> /dev/null

rmdir $pinned
echo "-cpuset" > $cg/cgroup.subtree_control

# machine: v2
# cgtune stat: an own quota under an ancestor's smaller one, pressure, weight, and what the kernel does not provide.
. /testbed/lib.sh
pod=$cg/cgtune-pod
echo "+cpu +cpuset" > $cg/cgroup.subtree_control
mkdir $pod
echo "+cpu +cpuset" > $pod/cgroup.subtree_control
mkdir $pod/app
echo "20000 100000" > $pod/cpu.max
echo "50000 100000" > $pod/app/cpu.max
echo 10000 > $pod/app/cpu.max.burst
echo 39 > $pod/app/cpu.weight
hog $pod/app

tune stat --for 1s /cgtune-pod/app
equals "exit code" "$code" 0
says "the ancestor's limit is in force" /tmp/out "0.200 CPUs, set by the ancestor /cgtune-pod"
says "weight" /tmp/out "weight 39"
says "burst" /tmp/out "burst 10ms"
says "pressure" /tmp/out "of the time some task waited for a CPU"

cgtune stat --for 1s --json /cgtune-pod/app > /tmp/out
says "JSON: weight" /tmp/out '"weight": 39'
says "JSON: v2 has no shares" /tmp/out '"shares": null'
says "JSON: this kernel has no cpu.stat.local" /tmp/out '"local_throttled_ns": null'
says "JSON: who sets the limit" /tmp/out '"set_by": "/cgtune-pod"'

tune stat --for 1s /cgtune-pod
throttled=$(sed -n 's/.* \([0-9]*\) of [0-9]* active periods.*/\1/p' /tmp/out)
verdict "a hog is throttled: $throttled periods in 1 s" [ "${throttled:-0}" -ge 8 ]
tune stat --all --for 1s
says "--all lists it" /tmp/out /cgtune-pod/app
tune stat "$hog"
says "a pid's cgroup" /tmp/out /cgtune-pod/app
cgtune stat --json / > /tmp/out
says "the root has no quota" /tmp/out '"quota_us": null'
tune stat /nope
equals "no such cgroup: exit code" "$code" 2
says "no such cgroup: a way on" /tmp/out "hint: "

end_hog
rmdir $pod/app $pod
echo -cpuset > $cg/cgroup.subtree_control

# machine: hybrid
# cpu on v1 with v2 mounted beside it: quota and counters are v1's, and a v2 group of the same name is another one.
. /testbed/lib.sh
group=$cg/cpu/cgtune-hybrid
mkdir $group $cg/unified/cgtune-hybrid
echo 100000 > $group/cpu.cfs_period_us
echo 20000 > $group/cpu.cfs_quota_us
echo 512 > $group/cpu.shares
hog $group
tune stat --for 1s /cgtune-hybrid
equals "exit code" "$code" 0
says "v1's limit" /tmp/out "0.200 CPUs, set here"
says "v1's shares" /tmp/out "shares 512"
throttled=$(sed -n 's/.* \([0-9]*\) of [0-9]* active periods.*/\1/p' /tmp/out)
verdict "a hog is throttled: $throttled periods in 1 s" [ "${throttled:-0}" -ge 8 ]
tune stat "$hog"
says "a pid's cgroup is v1's" /tmp/out /cgtune-hybrid
end_hog
rmdir $group $cg/unified/cgtune-hybrid

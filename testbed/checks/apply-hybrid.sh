# machine: hybrid
# cgtune apply where cpu is v1's and v2 is mounted beside it: v1's files are written, in v1's order, and no others.
. /testbed/lib.sh
group=$cg/cpu/cgtune-apply
mkdir $group $cg/cpuset/cgtune-apply $cg/unified/cgtune-apply
echo 50000 > $group/cpu.cfs_quota_us
echo 20000 > $group/cpu.cfs_burst_us
tune apply /cgtune-apply --quota 5ms --period 20ms --burst 0us --cpuset-mems 0 --cpuset-cpus 1 --shares 300 --yes
equals "exit code" "$code" 0
equals "quota, period, burst" "$(cat $group/cpu.cfs_quota_us $group/cpu.cfs_period_us $group/cpu.cfs_burst_us | tr '\n' ' ')" "5000 20000 0 "
equals "cpuset of the other hierarchy" "$(cat $cg/cpuset/cgtune-apply/cpuset.cpus)" 1
tune apply /cgtune-apply --weight 50 --yes
equals "a v2 weight: exit code" "$code" 2
tune undo
equals "undo: exit code" "$code" 0
equals "as before" "$(cat $group/cpu.cfs_quota_us $group/cpu.cfs_period_us $group/cpu.cfs_burst_us $group/cpu.shares | tr '\n' ' ')" "50000 100000 20000 1024 "
equals "the cpuset as before" "$(cat $cg/cpuset/cgtune-apply/cpuset.cpus)" ""
rmdir $group $cg/cpuset/cgtune-apply $cg/unified/cgtune-apply

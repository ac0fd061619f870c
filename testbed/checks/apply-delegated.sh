# machine: v2
# cgtune apply and undo as uid 1000 in a subtree that was given to it, without any capability, with a journal of its own.
. /testbed/lib.sh
slice=$cg/cgtune-user
scope=$slice/scope
mkdir $slice
echo +cpu > $slice/cgroup.subtree_control
mkdir $scope $scope/job
chown -R 1000 $scope
chown 0 $scope/cpu.*
echo "40000 100000" > $scope/cpu.max
echo +cpu > $scope/cgroup.subtree_control
chown 1000 $scope/job/*
inside() { (echo 0 > $scope/job/cgroup.procs && HOME=/tmp/home as_user "$@") > /tmp/out 2>&1; code=$?; cat /tmp/out; }
mkdir /tmp/home && chown 1000 /tmp/home
inside cgtune apply /cgtune-user/scope/job --quota 20ms --burst 5ms --weight 50 --yes
equals "exit code" "$code" 0
equals "cpu.max, burst, weight" "$(cat $scope/job/cpu.max $scope/job/cpu.max.burst $scope/job/cpu.weight | tr '\n' ' ')" "20000 100000 5000 50 "
verdict "the journal is the user's" [ -e /tmp/home/.local/state/cgtune/000001.json ]
inside cgtune apply /cgtune-user/scope --quota 80ms --yes
equals "its own limit is root's: exit code" "$code" 2
says "the file that refused" /tmp/out "cpu.max"
equals "and it stays" "$(cat $scope/cpu.max)" "40000 100000"
inside cgtune undo 1
equals "undo: exit code" "$code" 0
equals "as before" "$(cat $scope/job/cpu.max $scope/job/cpu.max.burst $scope/job/cpu.weight | tr '\n' ' ')" "max 100000 0 100 "
rm -r /tmp/home
rmdir $scope/job $scope $slice

# machine: v2
# A subtree given to uid 1000, as systemd's Delegate=yes gives it; and one that is not given.
. /testbed/lib.sh
slice=$cg/cgtune-user
scope=$slice/scope
mkdir $slice
# inside COMMAND…: as the user, in the scope. A subshell's "0" moves the subshell itself.
inside() { (echo 0 > $scope/cgroup.procs && as_user "$@") > /tmp/out 2>&1; code=$?; cat /tmp/out; }
give() { chown 1000 $scope $scope/cgroup.procs $scope/cgroup.subtree_control $scope/cgroup.threads; }

echo "-- with cpu"
echo +cpu > $slice/cgroup.subtree_control
mkdir $scope
give
echo "40000 100000" > $scope/cpu.max
inside id
says "the user is no longer root" /tmp/out "uid=1000"
inside cgtune stat
equals "exit code" $code 0
says "the limit that root set" /tmp/out "0.400 CPUs, set here"
inside sh -c "mkdir $scope/mine && rmdir $scope/mine"
equals "the user may make cgroups there: exit code" $code 0
inside sh -c "echo 50000 100000 > $scope/cpu.max"
verdict "and may not change its own limit" [ $code != 0 ]

echo "-- without cpu"
rmdir $scope
echo -cpu > $slice/cgroup.subtree_control
mkdir $scope
give
inside cgtune stat
equals "exit code" $code 0
says "no bandwidth control" /tmp/out "no bandwidth control here"
inside sh -c "echo +cpu > $scope/cgroup.subtree_control"
verdict "the user cannot have cpu" [ $code != 0 ]
rmdir $scope $slice

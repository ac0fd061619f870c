# machine: v2
# A group whose parent does not pass cpu on: cpu.stat has usage only, and nothing is zero that is not there.
. /testbed/lib.sh
mkdir -p $cg/cgtune-bare/in
tune stat /cgtune-bare/in
says "no bandwidth control" /tmp/out "no bandwidth control here"
cgtune stat --json /cgtune-bare/in > /tmp/out
says "JSON: periods" /tmp/out '"nr_periods": null'
says "JSON: quota" /tmp/out '"quota_us": null'
rmdir $cg/cgtune-bare/in $cg/cgtune-bare

# machine: v2-agree
# cgbench agree: measures the grid on cgroup v2, with frame rates that an emulated CPU can keep up with, and hands the records to
# the host over the second serial port. The host compares: playing the model is nothing for an emulated CPU.
. /testbed/lib.sh
code=0
cgbench agree --slow "$(argument slow)" --frames "$(argument frames)" --out /tmp/grid > /tmp/out || code=$?
equals "the grid was measured, exit code" "$code" 0
points=$(ls -d /tmp/grid/*/ | wc -l)
equals "points with their three blocks" "$(ls /tmp/grid/*/blocks/*.json | wc -l)" $((points * 3))
stty -F /dev/ttyS1 raw -echo
tar -C /tmp/grid -czf /dev/ttyS1 .
verdict "$points points are with the host" [ $? = 0 ]

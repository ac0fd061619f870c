# machine: systemd
# cgtune apply on systemd's unit: who will overwrite it is said, systemd does so, undo refuses then; and the command that is
# printed makes it last.
. /testbed/lib.sh
dir=$cg/system.slice/tuned.service
printf '[Service]\nExecStart=/bin/sleep infinity\nCPUQuota=50%%\n' > /run/systemd/system/tuned.service
systemctl daemon-reload && systemctl start tuned
tune apply unit:tuned.service --quota 30ms --burst 10ms --yes
equals "exit code" "$code" 0
says "daemon-reload will overwrite it" /tmp/out "daemon-reload"
command=$(sed -n 's/^    \(systemctl set-property .*\)$/\1/p' /tmp/out)
verdict "there is a command that makes it last: $command" [ -n "$command" ]
equals "cpu.max, burst" "$(cat $dir/cpu.max $dir/cpu.max.burst | tr '\n' ' ')" "30000 100000 10000 "

systemctl daemon-reload && systemctl is-system-running > /dev/null
equals "systemd did" "$(cat $dir/cpu.max)" "50000 100000"
tune undo
equals "undo: exit code" "$code" 1
says "what differs" /tmp/out "quota: cgtune left 30ms, there is 50ms now"
tune undo --force
equals "undo --force: exit code" "$code" 0
equals "as before" "$(cat $dir/cpu.max $dir/cpu.max.burst | tr '\n' ' ')" "50000 100000 0 "

sh -c "$command"
systemctl daemon-reload && systemctl is-system-running > /dev/null
equals "systemd's own command lasts" "$(cat $dir/cpu.max)" "30000 100000"

tune apply unit:tuned.service --for 1s --quota 20ms --yes
equals "for a time: exit code" "$code" 0
equals "and back" "$(cat $dir/cpu.max)" "30000 100000"
systemctl stop tuned

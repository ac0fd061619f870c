# machine: v2-scenarios
# Sets up every situation with a known cause on cgroup v2 and has cgtune diagnose judge it (scenarios matrix), or only looks whether
# it comes about (scenarios verify). The host chose which, with seeds and times (/testbed/arguments, one a line), and gets what
# came of it over the second serial port.
. /testbed/lib.sh
set --
while read -r argument; do set -- "$@" "$argument"; done < /testbed/arguments
code=0
scenarios "$@" --out /tmp/scenarios || code=$?
equals "scenarios $*, exit code" "$code" 0
stty -F /dev/ttyS1 raw -echo
tar -C /tmp/scenarios -czf /dev/ttyS1 .
verdict "what came of them is with the host" [ $? = 0 ]

# What the checks share. Each condition that matters is a verdict: a line "ok: NAME" or "FAIL: NAME (…)".
cg=/sys/fs/cgroup
machine() { sed -n 's/.*testbed=\([a-z0-9]*\).*/\1/p' /proc/cmdline; }

# argument NAME: what the host says on the kernel's command line, as testbed.NAME=…
argument() { sed -n "s/.*testbed\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

# verdict NAME CONDITION…: says whether the command holds.
verdict() {
    _name=$1
    shift
    if "$@"; then echo "ok: $_name"; else echo "FAIL: $_name ($*)"; fi
}
# says NAME FILE TEXT: the file holds the text.
says() { verdict "$1" grep -qF -- "$3" "$2"; }
# equals NAME IS SHOULD
equals() { verdict "$1: $2" [ "$2" = "$3" ]; }

# cgtune ARGUMENTS…, shown, its output in /tmp/out and its exit code in `code`.
tune() {
    echo "\$ cgtune $*"
    code=0
    cgtune "$@" > /tmp/out 2>&1 || code=$?
    cat /tmp/out
}

# As uid 1000 with nothing left of root; exec, so that no other process stays behind.
as_user() { exec /usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all "$@"; }

# hog DIR: a busy loop in the cgroup. Sets `hog` to its pid; `end_hog` ends it.
hog() { sh -c 'echo 0 > "$0/cgroup.procs"; while :; do :; done' "$1" & hog=$!; }
end_hog() { kill -9 "$hog"; wait "$hog" 2> /dev/null; }

# below_its_quota: a load on 8 CPUs that uses 9.6 ms of every 100 ms, under a quota of 13.1, in the v1 group /cgtune-below.
below_its_quota() {
    mkdir $cg/cpu/cgtune-below
    # Without a quota at first, since starting takes more than that.
    sh -c 'echo 0 > "$0/tasks"; exec cgtune visit-cpus 0-7' $cg/cpu/cgtune-below &
    below=$!
    sleep 1
    echo 13100 > $cg/cpu/cgtune-below/cpu.cfs_quota_us
    sleep 0.5
}
end_below_its_quota() { kill -9 $below; wait $below 2> /dev/null; rmdir $cg/cpu/cgtune-below; }

# Every cgroup with what it passes on: what must be as it was.
tree() {
    find "$cg" -type d | sort | while read -r dir; do echo "$dir [$(cat "$dir/cgroup.subtree_control" 2> /dev/null)]"; done
}

#!/bin/bash
# What a caller of anyproc-proot sees: exit statuses, messages, records, signals, and that nothing is left behind.
#   run.sh ENGINE [OPTION...]
set -u
export PATH=/usr/local/bin:/usr/bin:/bin
engine=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
python=$(realpath "$(command -v python3)")
shift
options=("$@")
scratch=$(mktemp -d /tmp/anyproc-launcher-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
failed=0
passed=0

expect() { # TITLE EXPECTED ACTUAL
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not ok: %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
  fi
}

guest() {
  timeout 60 "$engine" "${options[@]}" --rootfs / "$@"
}

status_of() {
  "$@" >"$scratch/out" 2>"$scratch/err"
  echo $?
}

# until_true COMMAND...: waits, at most ten seconds, for something that another process does.
until_true() {
  local attempt
  for attempt in $(seq 500); do
    "$@" && return 0
    read -rt 0.02 <> <(:) || true
  done
  return 1
}

is_gone() {
  ! kill -0 "$1" 2>/dev/null
}

has_content() {
  [ -s "$1" ]
}

for code in 0 1 7 125 126 127 255; do
  expect "exit code $code" "$code" "$(status_of guest -- /bin/sh -c "exit $code")"
done
for signal in 6 9 11 15; do
  expect "death by signal $signal" "$((128 + signal))" \
    "$(status_of bash -c '"$@"; exit $?' - "$engine" "${options[@]}" --rootfs / -- /bin/sh -c "kill -$signal \$\$")"
done
expect 'no core dump of the supervisor' '' "$(cd "$scratch" && find . -name 'core*')"

expect 'program not found' 127 "$(status_of guest -- anyproc-missing)"
expect 'its message' \
  'anyproc-proot: no such program in the guest (No such file or directory): anyproc-missing: check the path, or PATH, inside the rootfs' \
  "$(cat "$scratch/err")"
expect 'path not found' 127 "$(status_of guest -- /bin/anyproc-missing)"
expect 'a directory' 126 "$(status_of guest -- /tmp)"
expect 'a file without permission' 126 "$(status_of guest -- /etc/passwd)"
printf 'text\n' >"$scratch/text"
chmod 755 "$scratch/text"
expect 'no program at all' 126 "$(status_of guest -- "$scratch/text")"
printf '#!/anyproc-missing\n' >"$scratch/script"
chmod 755 "$scratch/script"
expect 'a script without its interpreter' 127 "$(status_of guest -- "$scratch/script")"
expect 'its name in the message' 1 "$(grep -c /anyproc-missing "$scratch/err")"
{ printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000\267\000\001'; head -c 100 /dev/zero; } >"$scratch/foreign"
chmod 755 "$scratch/foreign"
expect 'a program for another processor' 126 "$(status_of guest -- "$scratch/foreign")"
expect 'the processor in the message' 1 "$(grep -c '(aarch64)' "$scratch/err")"

expect 'rootfs missing' 125 "$(status_of timeout 60 "$engine" --rootfs /anyproc-missing -- true)"
expect 'bind missing' 125 "$(status_of guest --bind /anyproc-missing /mnt -- true)"
expect 'its name in the message' 1 "$(grep -c /anyproc-missing "$scratch/err")"
expect 'a link to follow, but no bind' 125 "$(status_of guest --no-follow -- true)"
expect 'cwd missing' 125 "$(status_of guest --cwd /anyproc-missing -- true)"
expect 'shim missing' 125 "$(status_of guest --shim /anyproc-missing -- true)"
expect 'unknown option' 125 "$(status_of guest --unknown -- true)"
expect 'no program' 125 "$(status_of guest --)"
mkdir -p "$scratch/inner/bin" "$scratch/inner/data" "$scratch/inner/proc"
cp "$(command -v busybox)" "$scratch/inner/bin/sh"
nested() {
  guest -- "$engine" "${options[@]}" --rootfs "$scratch/inner" --bind /proc /proc --bind-read-only "$scratch" /data --cwd /data "$@"
}
expect 'an engine in an engine' 7 "$(status_of nested -- sh -c 'cd /; echo *; pwd; cd /data; pwd; exit 7')"
expect 'its root and directory' 'bin data proc / /data' "$(tr '\n' ' ' <"$scratch/out" | sed 's/ $//')"
expect 'its read-only bind' 1 "$(status_of nested -- sh -c ': >/data/new')"
expect 'its failure' 127 "$(status_of nested -- anyproc-missing)"
expect 'told once' 1 "$(grep -c anyproc-missing "$scratch/err")"
expect 'its missing bind' 125 "$(status_of nested --bind /tmp /nowhere -- sh -c true)"
expect 'its message' 1 "$(grep -c 'cannot bind inside another anyproc-proot.*/nowhere' "$scratch/err")"
ln -s nowhere "$scratch/inner/link"
expect 'its bind over a link' 125 "$(status_of nested --bind /etc /link --no-follow -- sh -c true)"
expect 'its message' 1 "$(grep -c 'cannot bind inside another anyproc-proot .*): /link: ' "$scratch/err")"
expect 'three of them' deep "$(guest -- "$engine" "${options[@]}" --rootfs / -- "$engine" "${options[@]}" --rootfs "$scratch/inner" -- sh -c 'echo deep')"
expect 'help' 0 "$(status_of "$engine" --help)"
expect 'probe' 0 "$(status_of "$engine" --probe)"
expect 'probe sees that code may be patched' 1 "$(grep -c '"patching":true' "$scratch/out")"
expect 'probe sees seccomp' 1 "$(grep -c '"seccomp":true' "$scratch/out")"

record_of() { # OPTION...: the record, with the launcher's own words and streams left out
  timeout 60 "$engine" --report-fd 7 "$@" 7>"$scratch/record" >/dev/null 2>"$scratch/err"
  cat "$scratch/record"
}
expect 'record: not found' 'not-found 2 anyproc-missing' "$(record_of --rootfs / -- anyproc-missing)"
expect 'record: not executable' 'not-executable 13 /etc/passwd' "$(record_of --rootfs / -- /etc/passwd)"
expect 'record: interpreter' 'interpreter 2 /anyproc-missing' "$(record_of --rootfs / -- "$scratch/script")"
expect 'record: architecture' "wrong-architecture 8 $scratch/foreign (aarch64)" "$(record_of --rootfs / -- "$scratch/foreign")"
expect 'record: cwd' 'cwd 2 /anyproc-missing' "$(record_of --rootfs / --cwd /anyproc-missing -- true)"
expect 'record instead of a message' '' "$(cat "$scratch/err")"
expect 'record: rootfs' 'rootfs 2 /anyproc-missing' "$(record_of --rootfs /anyproc-missing -- true)"
expect 'record: bind' 'bind 2 /anyproc-missing' "$(record_of --rootfs / --bind /anyproc-missing /mnt -- true)"
expect 'record: shim' 'shim 2 /anyproc-missing' "$(record_of --rootfs / --shim /anyproc-missing -- true)"
expect 'no record of success' '' "$(record_of --rootfs / -- true)"
mkfifo "$scratch/ready" "$scratch/silence"
"$engine" "${options[@]}" --rootfs / --report-fd 7 -- /bin/sh -c 'read -r line' 7>"$scratch/ready" <>"$scratch/silence" >/dev/null 2>&1 &
waiting=$!
expect 'the record ends while the program runs' '' "$(timeout 10 cat "$scratch/ready" || echo late)"
kill -KILL "$waiting"
{ wait "$waiting"; } 2>/dev/null

expect 'search in the guest PATH' /usr/bin/env "$(PATH=/anyproc-missing:/usr/bin:/bin "$engine" "${options[@]}" --rootfs / -- env sh -c 'command -v env')"
expect 'search passes over what it may not run' found "$(
  mkdir "$scratch/first" "$scratch/second"
  printf 'no\n' >"$scratch/first/tool"
  printf '#!/bin/sh\necho found\n' >"$scratch/second/tool"
  chmod 755 "$scratch/second/tool"
  PATH=$scratch/first:$scratch/second "$engine" "${options[@]}" --rootfs / -- tool
)"
expect 'argv0' chosen "$(guest --argv0 chosen -- /bin/sh -c 'tr "\0" "\n" </proc/$$/cmdline | head -n 1')"
expect 'cwd' /usr/bin "$(guest --cwd /usr/bin -- pwd)"
expect 'default cwd' / "$(guest -- pwd)"
expect 'environment unchanged' "$(env -i A=1 B=2 env)" "$(env -i A=1 B=2 "$engine" "${options[@]}" --rootfs / -- /usr/bin/env)"
expect 'shown as root' '0 0 0 0' "$(guest --id 0:0 -- /bin/sh -c 'echo $(id -u) $(id -g) $(stat -c "%u %g" .)')"
if [ "$(id -u)" -ne 0 ]; then
  expect 'shown as another user' '1234 567' "$(guest --id 1234:567 -- /bin/sh -c 'echo $(id -u) $(id -g)')"
fi
expect 'a bind' content "$(printf content >"$scratch/file" && mkdir -p "$scratch/root/in" &&
  guest --bind "$scratch" /anyproc-bind -- cat /anyproc-bind/file)"

# System calls that the table does not have. The sandbox around the engine tells whether the kernel was asked.
call='import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for number in sys.argv[1:]:
    libc.syscall(int(number), 0, 0, 0, 0, 0, 0)
    print(ctypes.get_errno(), end=" ", flush=True)'
errors_of() { # NUMBER... -- OPTION...
  local numbers=()
  while [ "$1" != -- ]; do
    numbers+=("$1")
    shift
  done
  shift
  "$here/../refuse-call.py" 77 "${numbers[@]}" -- "$engine" --rootfs / "$@" -- "$python" -c "$call" "${numbers[@]}"
}
unknown=(400 472 999 $((0x40000000)))
expect 'unknown calls are refused' '38 38 38 38 ' "$(errors_of "${unknown[@]}" --)"
expect 'or passed on, x32 excepted' '77 77 77 38 ' "$(errors_of "${unknown[@]}" -- --pass-unknown)"
expect 'known ones are passed on' '77 77 ' "$(errors_of 470 471 --)"
exec 6>"$scratch/diagnostics"
expect 'refused with diagnostics' '38 38 1 38 ' "$(errors_of 400 999 163 425 -- --diagnostics-fd 6)"
expect 'passed on with diagnostics' '77 77 ' "$(errors_of 472 472 -- --pass-unknown --diagnostics-fd 6)"
exec 6>&-
expect 'a line for each' "unknown 400 38 $python unknown 999 38 $python acct 163 1 $python io_uring_setup 425 38 $python unknown 472 0 $python" \
  "$(awk '{ print $1, $2, $3, $5 }' "$scratch/diagnostics" | paste -sd ' ')"

expect 'a directory with two guest paths has the shorter one' "/short/in it" "$(mkdir -p "$scratch/twice/in it" &&
  guest --bind "$scratch/twice" /anyproc-long --bind "$scratch/twice" /short --cwd '/anyproc-long/in it' -- pwd -P)"
expect 'of two that are as long the last one' /b "$(guest --bind "$scratch/twice" /a --bind "$scratch/twice" /b --cwd /a -- pwd -P)"

# Who leaves root takes no capability along into the next program.
if [ "$(id -u)" -eq 0 ]; then
  leave='$( = $) = "65534 65534"; $< = $> = 65534; exec @ARGV; exit 126'
  mkdir -m 700 "$scratch/unreachable" && cp "$engine" "$engine-shim" "$scratch/unreachable"
  expect 'the engine need not be reached by its path' 65534 \
    "$(timeout 60 "$scratch/unreachable/anyproc-proot" "${options[@]}" --rootfs / -- perl -e "$leave" id -u)"
  mkdir -m 700 "$scratch/closed" && ln -s usr/lib64 "$scratch/closed/lib64" && ln -s usr/lib "$scratch/closed/lib"
  behind_closed() {
    timeout 60 "$engine" "${options[@]}" --rootfs "$scratch/closed" --bind /usr /usr --bind /dev /dev -- "$@"
  }
  expect 'an interpreter behind a closed root' 65534 \
    "$(behind_closed /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups /usr/bin/id -u)"
  expect 'nobody is killed there' 126 "$(status_of behind_closed /usr/bin/perl -e "$leave" /usr/bin/id -u)"
fi

# Root has no such limit, and others may not reach the engine where it is.
ordinary=()
[ "$(id -u)" -ne 0 ] || ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups)
mkdir "$scratch/engine" && cp "$engine" "$engine-shim" "$scratch/engine" && chmod 755 "$scratch" "$scratch/engine"
expect 'no process left' 125 "$(status_of "${ordinary[@]}" prlimit --nproc=1:1 "$scratch/engine/anyproc-proot" --rootfs / -- true)"
expect 'its message' 1 "$(grep -c 'raise the limit on processes' "$scratch/err")"
expect 'no file may be written' 125 "$(ulimit -f 0; "$engine" --rootfs / -- true >/dev/null 2>&1; echo $?)"

for limit in 64 256 1024; do
  expect "descriptor limit $limit" ok "$(ulimit -n "$limit" && guest -- /bin/sh -c 'echo ok')"
done
if (ulimit -n 1048576) 2>/dev/null; then
  expect 'descriptor limit 1048576' ok "$(ulimit -n 1048576 && guest -- /bin/sh -c 'echo ok')"
fi
expect 'an inherited descriptor stays' inherited "$(guest -- /bin/sh -c 'cat <&9' 9< <(echo inherited))"
list_descriptors='import os; print(os.listdir("/proc/self/fd"), os.listdir("/proc/self/fdinfo"))'
expect 'a closed stream stays closed' closed "$("$engine" "${options[@]}" --rootfs / -- /bin/sh -c '[ -e /proc/$$/fd/0 ] || echo closed' <&-)"
expect 'none of the engine'\''s own is seen' "$(python3 -c "$list_descriptors")" "$(guest -- "$(command -v python3)" -c "$list_descriptors")"
expect 'ignored signals stay ignored' 1 "$(trap '' HUP && "$engine" "${options[@]}" --rootfs / -- /bin/grep -c '^SigIgn:.*[13579bdf]$' /proc/self/status)"

# Signals sent to the launcher reach the program.
guest_with_trap='trap "echo got >&3; exit 42" USR1; echo ready >&3; while :; do read -rt 1 <> <(:); done'
: >"$scratch/log"
"$engine" "${options[@]}" --rootfs / -- /bin/bash -c "$guest_with_trap" 3>>"$scratch/log" &
launcher=$!
until_true has_content "$scratch/log"
kill -USR1 "$launcher"
wait "$launcher"
expect 'a signal is passed on' 42 $?
expect 'and handled once' 'ready got' "$(echo $(cat "$scratch/log"))"

# However the run ends, no guest survives it. Each leaves its pid, being a child of the first, in a session of its
# own, a twice-forked orphan, or one that never calls anything again.
leave_many='echo $$ >>LOG
sleep 1000 & echo $! >>LOG
setsid sleep 1000 & echo $! >>LOG
(setsid sleep 1000 & echo $! >>LOG)
(while :; do :; done) & echo $! >>LOG
'
count_left() {
  local pid left=0
  while read -r pid; do
    is_gone "$pid" || left=$((left + 1))
  done <"$scratch/log"
  echo "$left"
}
nobody_left() {
  [ "$(count_left)" -eq 0 ]
}
has_five() {
  [ "$(wc -l <"$scratch/log")" -eq 5 ]
}
: >"$scratch/log"
expect 'the first guest ends' 3 "$(status_of guest -- /bin/bash -c "${leave_many//LOG/$scratch/log}exit 3")"
expect 'nobody is left' '5 0' "$(wc -l <"$scratch/log") $(count_left)"
: >"$scratch/log"
"$engine" "${options[@]}" --rootfs / -- /bin/bash -c "${leave_many//LOG/$scratch/log}wait" &
launcher=$!
until_true has_five
kill -KILL "$launcher"
{ wait "$launcher"; } 2>/dev/null
expect 'the supervisor is killed' 137 $?
until_true nobody_left
expect 'nobody is left' '5 0' "$(wc -l <"$scratch/log") $(count_left)"
# The child only sleeps: none of its calls is one that the engine sees.
mkfifo "$scratch/forked"
"$engine" "${options[@]}" --rootfs / -- perl -e '$| = 1; if (my $child = fork) { print "$child\n" } sleep 1000' >"$scratch/forked" &
launcher=$!
read -r child <"$scratch/forked"
kill -KILL "$launcher"
{ wait "$launcher"; } 2>/dev/null
is_gone_or_zombie() {
  ! grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status" 2>/dev/null
}
until_true is_gone_or_zombie "$child"
expect 'a quiet forked child is not left' yes "$(is_gone_or_zombie "$child" && echo yes)"
if [ "$(id -u)" -eq 0 ]; then
  "$engine" "${options[@]}" --rootfs / -- perl -e '$| = 1; $> = $< = 65534; if (my $child = fork) { print "$child\n" } sleep 1000' >"$scratch/forked" &
  launcher=$!
  read -r child <"$scratch/forked"
  kill -KILL "$launcher"
  { wait "$launcher"; } 2>/dev/null
  until_true is_gone_or_zombie "$child"
  expect 'nor one of another user' yes "$(is_gone_or_zombie "$child" && echo yes)"
fi
: >"$scratch/log"
mkfifo "$scratch/life"
"$engine" "${options[@]}" --rootfs / --life-fd 8 -- /bin/bash -c "${leave_many//LOG/$scratch/log}wait" 8<>"$scratch/life" &
launcher=$!
until_true has_five
expect 'alive as long as its life descriptor' 5 "$(count_left)"
kill -TERM "$launcher"
{ wait "$launcher"; } 2>/dev/null
expect 'ended by the signal' 143 $?
expect 'nobody is left' 0 "$(count_left)"
: >"$scratch/log"
exec 8> >(exec "$engine" "${options[@]}" --rootfs / --life-fd 0 -- /bin/bash -c "${leave_many//LOG/$scratch/log}wait" 2>/dev/null)
until_true has_five
exec 8>&-
until_true nobody_left
expect 'its life descriptor ends' '5 0' "$(wc -l <"$scratch/log") $(count_left)"
: >"$scratch/log"
bash -c '"$1" --rootfs / --life-pid $$ -- /bin/bash -c "$2" & wait' - "$engine" "${leave_many//LOG/$scratch/log}wait" &
parent=$!
until_true has_five
kill -KILL "$parent"
{ wait "$parent"; } 2>/dev/null
until_true nobody_left
expect 'its parent ends' '5 0' "$(wc -l <"$scratch/log") $(count_left)"
expect 'another process than its parent' 125 "$(status_of guest --life-pid 1 -- true)"
expect 'waits for everyone when told so' 'first last' \
  "$(echo $(guest --no-kill-on-exit -- /bin/bash -c '(until_dead() { while kill -0 "$1" 2>/dev/null; do read -rt 0.02 <> <(:); done; }; until_dead $$; echo last) & echo first'))"
timeout --foreground -s KILL 20 "$engine" "${options[@]}" --rootfs / --no-kill-on-exit -- /bin/bash -c 'echo started; sleep 60 & sleep 60' >"$scratch/asked" &
asked=$!
until_true test -s "$scratch/asked"
kill -TERM $asked
wait $asked
expect 'but not after a signal that ended the first' 143 $?

expect 'a pipeline of three hundred' 300 "$(guest -- /bin/bash -c "echo$(printf ' | { cat; echo; }%.0s' $(seq 300)) | wc -l" | tr -d ' ' | sed 's/^301$/300/')"
many=()
for number in $(seq 100); do
  "$engine" "${options[@]}" --rootfs / -- /bin/sh -c "exit $((number % 50))" &
  many+=($!)
done
wrong=0
for number in $(seq 100); do
  wait "${many[$((number - 1))]}"
  [ $? -eq $((number % 50)) ] || wrong=$((wrong + 1))
done
expect 'a hundred runs at once' 0 "$wrong"

mkdir -p "$scratch/small/mnt" "$scratch/outside/inner"
cp "$(command -v busybox)" "$scratch/small/busybox"
printf content >"$scratch/outside/file"
placed() {
  TMPDIR="$scratch" timeout 60 "$engine" --rootfs "$scratch/small" --bind "$scratch/outside" /mnt/x \
    --bind "$scratch/outside/file" /a/b/file --bind "$scratch/outside" /a/b/c/d -- /busybox "$@"
}
expect 'binds without a place are listed' '. .. a busybox mnt' "$(placed ls -a / | tr '\n' ' ' | sed 's/ $//')"
expect 'so are the directories above them' '/a /a/b /a/b/c /a/b/c/d /a/b/c/d/file /a/b/c/d/inner /a/b/file' \
  "$(placed find /a | sort | tr '\n' ' ' | sed 's/ $//')"
expect 'beside what is there' x "$(placed ls /mnt)"
expect 'each once' 2 "$(placed sh -c 'ls /a/b; ls /mnt' | sort | uniq -c | grep -c '^ *1 [cx]')"
expect 'their types' 'directory directory regular file' "$(placed stat -c %F /a /mnt/x /a/b/file | tr '\n' ' ' | sed 's/ $//')"
expect 'they can be entered' /a/b/c "$(placed sh -c 'cd /a/b/c/d && cd .. && pwd -P')"
expect 'and not written to' 1 "$(status_of placed touch /a/b/new)"
expect 'a directory above a bind is not empty' 1 "$(status_of placed rmdir /mnt)"
expect 'its error' 1 "$(grep -c 'Directory not empty' "$scratch/err")"
expect 'a mount point is busy' 1 "$(status_of placed rmdir /a)"
expect 'its error' 1 "$(grep -c 'busy' "$scratch/err")"
expect 'nor can it be moved' 1 "$(status_of placed mv /mnt/x /mnt/y)"
expect 'its error' 1 "$(grep -c 'busy' "$scratch/err")"
expect 'nothing is left of it on the host' '' "$(cd "$scratch" && find . -type d -name 'anyproc-proot-*')"

if command -v bwrap >/dev/null || [ -n "${CI:-}" ]; then
  wrap() {
    guest "$@" -- bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --chdir / /bin/sh -c \
      'touch /tmp/file && ls -A /tmp && cat /proc/self/mountinfo >/dev/null && echo >/dev/null; touch /etc/file; pwd'
  }
  expect 'bubblewrap' 'file /' "$(wrap 2>"$scratch/err" | tr '\n' ' ' | sed 's/ $//')"
  expect 'its read-only root' 1 "$(grep -c 'Read-only file system' "$scratch/err")"
  expect 'bubblewrap as root' 'file /' "$(wrap --id 0:0 2>"$scratch/err" | tr '\n' ' ' | sed 's/ $//')"
else
  echo 'skipped: bubblewrap is not installed'
fi

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

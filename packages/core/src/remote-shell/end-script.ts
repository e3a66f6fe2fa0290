/**
 * A POSIX shell script that ends a process and all its kin, and says when none is left.
 *
 * Kin are the members of its session and its process group (sshd(8) gives each command a session of its own) and every
 * descendant, found again and again while they end, so that those which left the session are known by then. The
 * process table is read from /proc where there is one, since ps(1) may not be installed. The time is looked up, not
 * counted in pauses: on a busy machine a look at the process table may take longer than a pause.
 *
 * @param graceMs how long the kin may take after `signal`, before SIGKILL
 */
export function endScript(pid: number, signal: string, graceMs: number): string {
  return `leader=${pid} kin=' '
read_clock() {
  if { IFS='. ' read -r seconds hundredths rest </proc/uptime; } 2>/dev/null; then
    now=$((seconds * 100 + 1$hundredths - 100))
  else
    now=$(($(date +%s) * 100))
  fi
}
rows() {
  if [ -r /proc/self/stat ]; then
    for file in /proc/[0-9]*/stat; do
      { IFS= read -r line <"$file"; } 2>/dev/null || continue
      id=\${line%% *}
      set -- \${line##*) }
      [ "$1" = Z ] || echo "$id:$2:$3:$4"
    done
  else
    ps -A -o stat= -o pid= -o ppid= -o pgid= | while read -r state id parent group; do
      case $state in Z*) ;; *) echo "$id:$parent:$group:$group" ;; esac
    done
  fi
}
find_kin() {
  table=$(rows) alive=' ' grown=1
  while [ "$grown" ]; do
    grown=
    for row in $table; do
      id=\${row%%:*} rest=\${row#*:}
      parent=\${rest%%:*} rest=\${rest#*:}
      case $alive in *" $id "*) continue ;; esac
      if [ "$id" != $leader ] && [ "\${rest%%:*}" != $leader ] && [ "\${rest#*:}" != $leader ]; then
        case $kin$alive in *" $id "* | *" $parent "*) ;; *) continue ;; esac
      fi
      alive="$alive$id " grown=1
    done
  done
  kin="$kin$alive"
  [ "$alive" != ' ' ]
}
pause() { sleep 0.05 2>/dev/null || sleep 1; }
find_kin || exit 0
kill -s ${signal.replace(/^SIG/, "")} $alive 2>/dev/null
read_clock
deadline=$((now + ${Math.ceil(graceMs / 10)}))
while [ $now -lt $deadline ]; do
  pause
  find_kin || exit 0
  read_clock
done
attempts=100
while [ $attempts -gt 0 ]; do
  kill -s KILL $alive 2>/dev/null
  pause
  find_kin || exit 0
  attempts=$((attempts - 1))
done
exit 1
`;
}

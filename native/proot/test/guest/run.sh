#!/bin/sh
# Runs every test program natively and inside the engine, in this machine's own tree and in a small one.
#   run.sh ENGINE PROGRAMS-DIRECTORY
set -u
engine=$(realpath "$1")
programs=$(realpath "$2")
failed=0
passed=0
small=$(mktemp -d /tmp/anyproc-rootfs-XXXXXX)
trap 'rm -rf "$small"' EXIT
mkdir -p "$small/bin" "$small/tmp" "$small/proc" "$small/dev" "$small/engine"
chmod 755 "$small"
chmod 1777 "$small/tmp"
cp "$programs"/static/* "$small/bin/"
cp "$engine" "$engine-shim" "$small/engine/"
for tool in sh true rm; do
  cp "$(command -v busybox)" "$small/bin/$tool"
done

# ordinary COMMAND...: as a user that is not root.
ordinary() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
  else
    "$@"
  fi
}

# check NAME COMMAND...: succeeds within a minute.
check() {
  title=$1
  shift
  output=$("$@" 2>&1 </dev/null)
  status=$?
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not ok: %s (status %s)\n%s\n' "$title" "$status" "$output"
  fi
}

for program in "$programs"/dynamic/*; do
  name=${program##*/}
  check "$name natively" timeout 60 "$program"
  check "$name in /" timeout 60 env ANYPROC_TEST_INSIDE=1 "$engine" --rootfs / -- "$program"
  check "$name in / as root" timeout 60 env ANYPROC_TEST_INSIDE=1 "$engine" --rootfs / --id 0:0 -- "$program"
  check "$name in / without the cache" timeout 60 env ANYPROC_TEST_INSIDE=1 "$engine" --rootfs / --no-cache -- "$program"
done
for program in "$programs"/static/*; do
  name=${program##*/}
  check "$name in a small rootfs" timeout 60 env ANYPROC_TEST_INSIDE=1 "$engine" --rootfs "$small" --bind /proc /proc --bind /dev /dev -- "/bin/$name"
  check "$name in a small rootfs as made-up root" ordinary timeout 60 env ANYPROC_TEST_INSIDE=1 ANYPROC_TEST_MADE_UP_IDS=1 "$small/engine/anyproc-proot" --rootfs "$small" --id 0:0 --bind /proc /proc --bind /dev /dev -- "/bin/$name"
done
for program in "$programs"/forms/*; do
  check "${program##*/}" timeout 60 "$engine" --rootfs / -- "$program"
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

#!/bin/sh
# Runs every test program natively and inside the engine, in this machine's own tree and in a small one.
#   run.sh ENGINE PROGRAMS-DIRECTORY EAGER-SHIM
set -u
engine=$(realpath "$1")
programs=$(realpath "$2")
eager=$(realpath "$3")
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

# check NAME COMMAND...: succeeds.
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

# inside TITLE PROGRAM OPTION...: in the engine, with call sites patched when they are hot, at once, and never.
inside() {
  what=$1
  command=$2
  shift 2
  check "$what" timeout 60 env ANYPROC_TEST_INSIDE=hot "$engine" "$@" -- "$command"
  check "$what, patched at once" timeout 60 env ANYPROC_TEST_INSIDE=eager "$engine" --shim "$eager" "$@" -- "$command"
  check "$what, not patched" timeout 60 env ANYPROC_TEST_INSIDE=unpatched "$engine" --no-patch "$@" -- "$command"
}

for program in "$programs"/dynamic/*; do
  name=${program##*/}
  check "$name natively" timeout 60 "$program"
  inside "$name in /" "$program" --rootfs /
  # In the host's own tree nothing is left behind, and who has no root cannot give files away.
  [ "$name" = owners ] && [ "$(id -u)" -ne 0 ] || inside "$name in / as root" "$program" --rootfs / --id 0:0
  inside "$name in / without the cache" "$program" --rootfs / --no-cache
done
for program in "$programs"/static/*; do
  name=${program##*/}
  inside "$name in a small rootfs" "/bin/$name" --rootfs "$small" --bind /proc /proc --bind /dev /dev
  check "$name in a small rootfs as made-up root" ordinary timeout 60 env ANYPROC_TEST_INSIDE=hot ANYPROC_TEST_MADE_UP_IDS=1 "$small/engine/anyproc-proot" --rootfs "$small" --id 0:0 --bind /proc /proc --bind /dev /dev -- "/bin/$name"
done
for program in "$programs"/forms/*; do
  inside "${program##*/}" "$program" --rootfs /
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

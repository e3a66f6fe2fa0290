#!/bin/bash
# Every system call that the kernel headers know, or src/syscall-numbers.h, stands in the table, and just once. With
# --print it prints the table: what becomes of each call.
#   run.sh [--print]
set -eu
cd "$(dirname "$0")/../../src"
print=false
[ "${1-}" != --print ] || print=true
failed=0

# What arch/arm64/include/uapi/asm/unistd.h takes from the generic list.
arm64=(-D__ARCH_WANT_RENAMEAT -D__ARCH_WANT_NEW_STAT -D__ARCH_WANT_SET_GET_RLIMIT -D__ARCH_WANT_SYS_CLONE3
  -D__ARCH_WANT_MEMFD_SECRET -include asm-generic/unistd.h)
native=(-include asm/unistd.h)

# numbers_of OPTION...: `NAME NUMBER` of every call in the headers.
numbers_of() {
  "${CC:-cc}" -dM -E "$@" -x c - </dev/null | sed -nE 's/^#define __NR_([a-z0-9_]+) .*/\1/p' |
    grep -vx -e syscalls -e arch_specific_syscall |
    sed 's/.*/number & __NR_&/' | "${CC:-cc}" -E -P "$@" -x c - | sed -n 's/^number //p'
}

# kept_numbers MACHINE: those that the headers lack.
kept_numbers() {
  "${CC:-cc}" -E -dD "-U__$(uname -m)__" "-D__$1__" -x c syscall-numbers.h | sed -n '/^# [0-9]* "syscall-numbers.h"/,/^# [0-9]* "[/<]/p' |
    sed -nE 's/^#define SYS_([a-z0-9_]+) ([0-9]+)$/\1 \2/p'
}

# table_of MACHINE OPTION...: `NAME CLASS`, a line for every rule.
table_of() {
  local class machine=$1
  shift
  {
    numbers_of "$@" | sed 's/^\([^ ]*\) .*/#define SYS_\1/'
    for class in TRANSLATED TRANSLATED_WHEN EMULATED FRAMED REFUSED GRANTED PASSED; do
      printf '#define %s(name, ...) rule name %s\n' "$class" "$class"
    done
    printf '#include "syscalls.def"\n#include "syscalls-passed.def"\n'
  } | "${CC:-cc}" -E -P -I. "-U__$(uname -m)__" "-D__${machine}__" -x c - | grep -oE 'rule [a-z0-9_]+ [A-Z_]+' | cut -d ' ' -f 2- |
    sed -E 's/TRANSLATED_WHEN/TRANSLATED/; s/FRAMED|GRANTED/EMULATED/' | tr '[:upper:]' '[:lower:]' | sort -u
}

check() { # MACHINE OPTION...
  local machine=$1 calls table
  shift
  calls=$({ numbers_of "$@"; kept_numbers "$machine"; } | sort -u)
  table=$(table_of "$machine" "$@")
  if $print; then
    join <(echo "$calls" | sort) <(echo "$table" | sort) | sort -nk 2
    return
  fi
  report "$machine: not in the table" "$(comm -23 <(cut -d ' ' -f 1 <<<"$calls" | sort -u) <(cut -d ' ' -f 1 <<<"$table" | sort -u))"
  report "$machine: both passed and not" "$(comm -12 <(sed -n 's/ passed$//p' <<<"$table") <(grep -v ' passed$' <<<"$table" | cut -d ' ' -f 1 | sort -u))"
  report "$machine: two calls of one number" "$(awk 'seen[$2]++ { print $1 }' <<<"$calls")"
  report "$machine: newer than SYSCALL_LAST_KNOWN" "$(awk -v last="$(sed -n 's/^#define SYSCALL_LAST_KNOWN //p' syscall-numbers.h)" '$2 > last { print $1 }' <<<"$calls")"
  echo "$machine: $(wc -l <<<"$calls") system calls"
}

report() { # WHAT NAMES
  [ -z "$2" ] && return
  failed=1
  printf 'not ok: %s: %s\n' "$1" "$(tr '\n' ' ' <<<"$2")"
}

check "$(uname -m)" "${native[@]}"
$print || check aarch64 "${arm64[@]}"
exit "$failed"

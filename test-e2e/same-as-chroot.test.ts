import { join } from "node:path";
import { beforeAll, describe, inject, test } from "vitest";
import { as, modes } from "./setup/modes.ts";
import type { Product } from "./setup/product.ts";
import { prepare } from "./setup/run.ts";
import { expectSame, runInChroot, runInGuest } from "./setup/sides.ts";
import { makeTrees, type Trees, temporaryDirectory } from "./setup/trees.ts";

const busybox = "/opt/busybox";

// Scripts that write do so below /work, which is gone before each side's turn. What they left is part of their output,
// but for the times of what they did not copy.
const listing = `touch -d @0 . ; find /work -printf '%P %y %M %U:%G %n %T@ %l\\n' | sort`;
const script = (text: string): string[] => ["bash", "-c", `mkdir /work && cd /work\n${text}`];

/** Commands whose output, errors and exit code are the same under chroot(2) and in the guest, byte for byte. */
const commands: Record<string, string[]> = {
  "sh: parameters, cd and exit code": [
    "sh",
    "-c",
    'echo "$0 $# $*"; cd /usr/lib/..; pwd; pwd -P; umask; exit 7',
    "a",
    "b c",
  ],
  "sh: a signal": ["sh", "-c", "kill -TERM $$"],
  "sh: a command that is missing, and one that is no program": ["sh", "-c", "no-such-command; echo $?; /etc; echo $?"],
  "ls -lR /usr": ["ls", "-lR", "/usr"],
  "ls of /, with owners and links": ["ls", "-lan", "--ignore=proc", "/", "/etc/alternatives", "/var"],
  "find / -xdev": ["find", "/", "-xdev"],
  "find with types, modes, owners, sizes and links": [
    "find / -xdev -type d -printf '%p %M %U:%G\\n' -o -printf '%p %y %M %U:%G %n %s %T@ %l\\n'",
  ].flatMap((text) => ["sh", "-c", text]),
  "cat: files, and one that is missing": ["cat", "/etc/passwd", "/usr/lib/os-release", "/no/such/file", "/etc/shadow"],
  "cat: stdin": ["cat", "-", "/etc/hostname"],
  "cp -a": script(`cp -a /usr/share/doc /usr/share/zoneinfo /etc . ; ${listing}`),
  "tar: there and back": script(
    `tar -C /usr/share -c perl5 doc | tar -x; tar -C /etc -cf e.tar . && tar -tvf e.tar; rm e.tar; ${listing}`,
  ),
  "rm, mv, ln, chmod, touch, truncate, mkfifo": script(
    `mkdir -p a/b/c d; echo x >a/f; ln a/f a/hard; ln -s /etc/passwd abs; ln -s a/f rel; ln -s loop loop; mkfifo p
     mv a/b d/; chmod 4751 a/f; touch -d @0 a/f rel; truncate -s 5000 d/big; cat abs | wc -l; cat loop; rmdir a; rm d
     cp -r d e; rm -r d; realpath abs rel e/../a/./f; readlink abs rel; stat -c '%n %F %a %h %s' a/f rel abs p
     touch -d @1 a e e/b e/b/c e/big; touch -hd @1 abs rel loop p; ${listing}`,
  ),
  "perl: files, processes and pipes": [
    "perl",
    "-MCwd",
    "-MPOSIX",
    "-e",
    `print map { "$_ " . (-l $_ ? readlink : -d _ ? "/" : -s _) . "\\n" } sort glob "/etc/* /bin /lib64";
     chdir "/usr/share/doc/.." or die; print getcwd, "\\n"; open(my $p, "-|", "sort -r /etc/passwd") or die; print <$p>;
     my $pid = fork // die; if (!$pid) { exec "sh", "-c", "exit 3" } waitpid $pid, 0; print WEXITSTATUS($?), "\\n";
     system "/no/such/program"; print $! + 0, " $!\\n"; opendir my $d, "/nowhere" or print "$!\\n"; exit 4`,
  ],
  "bash: pipelines, here-documents and process substitution": script(
    `set -o pipefail; cut -d: -f7 /etc/passwd | sort | uniq -c | while read -r n s; do echo "$s=$n"; done
     diff <(sort /etc/group) <(sort -r /etc/group | sort) && echo same; false | true; echo "\${PIPESTATUS[*]}"
     wc -l <<<"$(seq 5)"; cat <<END | tr a-z A-Z
here $((6 * 7))
END
     for i in 1 2 3; do (exit $i) & wait $!; echo $?; done; trap 'echo bye' EXIT; coproc cat; echo hi >&"\${COPROC[1]}"
     read -r line <&"\${COPROC[0]}"; echo "$line"; exec 5>&1; echo five >&5; type -P ls bash; echo /etc/*.conf`,
  ),
  "scripts: interpreters, their arguments, and what goes wrong": script(
    `w() { cat >"$1"; chmod +x "$1"; }
     printf '#!/bin/sh -e\\necho "$0 $*"; false; echo not reached\\n' | w plain; ./plain one "two three"; echo $?
     printf '#!/usr/bin/env perl\\nprint "$0 @ARGV\\\\n"\\n' | w env; ./env x; PATH=$PWD:$PATH env y; echo $?
     printf '#!/work/plain   a b  \\n' | w nested; ./nested c; echo $?
     printf '#!/no/such/interpreter\\n' | w missing; ./missing 2>/dev/null; echo $?
     printf '#!relative\\n' | w relative; ./relative 2>/dev/null; echo $?
     printf '#!/work/loop\\n' | w loop; ./loop 2>/dev/null; echo $?
     printf 'echo "no line: $0"\\n' | w bare; ./bare; sh bare; chmod 644 bare; ./bare 2>/dev/null; echo $?
     ln -s plain link; ./link z; find . -name plain -exec {} found \\;`,
  ),
  "perl: Unix sockets, short names and long ones": script(
    `cat >s.pl <<'END'
use Socket; $| = 1; my $dir = "d" x 60; mkdir $dir;
for my $name ("short", "/work/$dir/" . "n" x 30, "$dir/../relative") {
  socket my $server, PF_UNIX, SOCK_STREAM, 0; bind $server, sockaddr_un($name) or print "bind: $!\n"; listen $server, 1;
  if (!fork) { socket my $client, PF_UNIX, SOCK_STREAM, 0; connect $client, sockaddr_un($name) or print "connect: $!\n";
    syswrite $client, "over $name"; exit }
  accept my $peer, $server; sysread $peer, my $text, 200; wait; print "$text ", -S $name ? "socket" : "nothing", "\n";
}
connect S, sockaddr_un("/nowhere") or print "$!\n"; socket S, PF_UNIX, SOCK_STREAM, 0;
connect S, sockaddr_un("/nowhere") or print "$!\n"; bind S, sockaddr_un("short") or print "$!\n";
END
     perl s.pl`,
  ),
  "many processes at once": script(
    `find /usr/share/doc -type f -print0 | xargs -0 -n 20 -P 8 sha256sum | sort; for i in {1..100}; do echo $i >f$i & done
     wait; cat f* | sort -n | tail -n 2; find . -name 'f*' -exec rm {} +; ls`,
  ),
  "dpkg: a package is built, installed and purged": script(
    `mkdir -p p/DEBIAN p/usr/share/e2e p/etc; ln -s e2e p/usr/share/link; echo 1 >p/usr/share/e2e/file; echo 2 >p/etc/e2e
     printf 'Package: e2e\nVersion: 1\nArchitecture: all\nMaintainer: E <e@example.org>\nDescription: e\n' >p/DEBIAN/control
     echo /etc/e2e >p/DEBIAN/conffiles; printf '#!/bin/sh\necho "postinst $*"\n' >p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
     dpkg-deb --root-owner-group -b p && dpkg -i p.deb; ls -ln /usr/share/e2e /usr/share/link /etc/e2e; dpkg -V e2e; dpkg -L e2e
     dpkg -P e2e; ls -d /usr/share/e2e /etc/e2e; dpkg -l e2e`,
  ),
  "a static busybox": [
    busybox,
    "sh",
    "-c",
    `b=${busybox}; $b ls -lR /etc; $b find /usr/share/doc | $b sort | $b sha256sum; $b stat -c '%n %a %u' /bin/ls
     $b tar -C /etc -c . | $b tar -t | $b sort; $b readlink -f /bin/sh; $b pwd; $b cat /nowhere; echo $?`,
  ],
  "a static busybox under the names of its applets": script(
    `ln -s ${busybox} uname; ln -s ${busybox} sha256sum; ./uname -s; ./sha256sum /bin/bash; ./sha256sum - </etc/passwd`,
  ),
  "/proc of the process itself": [
    "sh",
    "-c",
    "readlink /proc/self/exe /proc/self/cwd /proc/self/root; cd /usr/bin && readlink /proc/self/cwd; tr '\\0' ' ' </proc/self/cmdline",
  ],
  "paths that try to leave the root": [
    "sh",
    "-c",
    "for d in /.. /../..; do [ / -ef $d ] && echo $d is /; done; cat /../../etc/hostname; cd /; cd ../../usr/../..; pwd",
  ],
  "dpkg, ldconfig and getent": [
    "sh",
    "-c",
    "dpkg -l; dpkg -S /bin/ls; ldconfig -p; getent passwd root nobody; getent group",
  ],
};

const product = inject("product") as Product;
const archive = inject("archive") as string;

describe.skipIf(!product).each(modes)("as $name", (mode) => {
  let trees: Trees;

  beforeAll(() => {
    const { directory, remove } = temporaryDirectory();
    trees = makeTrees(archive, directory, mode.person);
    prepare(["cp", "-p", "/bin/busybox", join(trees.chroot, busybox)]);
    prepare([...as(mode.person, product.home), "cp", "-p", "/bin/busybox", join(trees.guest, busybox)]);
    return remove;
  });

  test.for(Object.entries(commands))("%s", async ([, argv]) => {
    const trial = { argv, input: "one line\nanother, without its end" };
    const outcomes = [runInGuest(product, mode, trees.guest, trial), runInChroot(trees.chroot, trial)] as const;
    expectSame(...(await Promise.all(outcomes)));
  });
});

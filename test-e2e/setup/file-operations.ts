import fc from "fast-check";

type Words = readonly string[];

const name = fc.constantFrom("a", "b", "c", "e f");
const step = fc.oneof({ weight: 8, arbitrary: name }, { weight: 3, arbitrary: fc.constantFrom(".", "..", "..", "") });
const steps = (count: number): fc.Arbitrary<string[]> => fc.array(step, { minLength: count, maxLength: count });

// Few names and short paths, so that the operations meet; from the working directory or the root.
const path = fc
  .tuple(
    fc.constantFrom("", "", "", "/", "./", "/work/"),
    fc.oneof(
      { weight: 5, arbitrary: steps(1) },
      { weight: 3, arbitrary: steps(2) },
      { weight: 1, arbitrary: steps(3) },
      { weight: 1, arbitrary: steps(5) },
    ),
    fc.constantFrom("", "", "", "", "", "/"),
  )
  .map(([start, names, end]) => `${start}${names.join("/")}${end}`);

// What symbolic links say ends in a name: the engine's limits tell how a loop by way of a slash or of dots differs.
const target = fc
  .tuple(fc.constantFrom("", "", "/", "/work/", "../", "./", "a/../", "b//"), name)
  .map((words) => words.join(""));

const mode = fc.constantFrom("000", "111", "444", "555", "640", "700", "755", "755", "4711", "1777");

// open(2): an access mode, and any of O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_PATH.
const openFlags = fc
  .tuple(fc.constantFrom(0, 1, 2), fc.subarray([0o100, 0o200, 0o1000, 0o2000, 0o200000, 0o400000, 0o10000000]))
  .map(([access, others]) => String(others.reduce((all, flag) => all | flag, access)));

const run = (words: Words, ...operands: readonly fc.Arbitrary<string>[]): fc.Arbitrary<Words> =>
  fc.tuple(...operands).map((chosen) => [...words, ...chosen]);

// A directory is never copied into itself: what comes of it depends on inode numbers. So does the order of complaints.
const makes = fc.oneof(
  { weight: 8, arbitrary: run(["mkdir", "-p"], path) },
  { weight: 4, arbitrary: run(["append"], path) },
  ...[run(["mkdir"], path), run(["write"], path)],
  ...[run(["ln"], path, path), run(["ln", "-s"], target, path), run(["ln", "-sfn"], target, path)],
  ...[
    run(["copy_all"], name, fc.constantFrom("/copy", "/copy/")),
    run(["cp"], path, path),
    run(["install", "-m"], mode, path, path),
  ],
  ...[run(["call_mkdir"], path), run(["call_symlink"], target, path), run(["call_link"], path, path)],
  run(["call_open"], path, openFlags),
);
const changes = fc.oneof(
  ...[run(["mv"], path, path), run(["mv", "-T"], path, path), run(["chmod"], mode, name)],
  ...[run(["touch", "-d", "@5"], path), run(["touch", "-hd", "@6"], path), run(["truncate", "-s", "9"], path)],
  ...[run(["rm"], path), run(["rm", "-r"], name), run(["rmdir"], path), run(["rmdir", "-p"], path)],
  ...[run(["call_rename"], path, path), run(["call_rmdir"], path), run(["call_unlink"], path)],
);
const looks = fc.oneof(
  ...[run(["ls", "-A"], path), run(["ls", "-dl", "--time-style=+"], path), run(["cat"], path), run(["cd"], path)],
  ...[run(["readlink"], path), run(["pwd", "-P"]), run(["test", "-e"], path)],
  ...[run(["stat", "-c", "%F %a %h %n"], path), run(["stat", "-Lc", "%F %a %h %n"], path)],
  ...[fc.tuple(path, path).map(([one, other]) => ["test", one, "-ef", other]), run(["test", "-w"], path)],
  ...[run(["call_list"], path), run(["call_look"], path, path)],
);

/** Several hundred operations on files, as tools and as bare system calls. */
export const fileOperations: fc.Arbitrary<readonly Words[]> = fc.array(
  fc.oneof({ weight: 6, arbitrary: makes }, { weight: 2, arbitrary: changes }, { weight: 5, arbitrary: looks }),
  { minLength: 200, maxLength: 400, size: "max" },
);

/** Programs that the script needs. */
export const operationPrograms = [
  ...["bash", "cat", "chmod", "cp", "env", "install", "ln", "ls", "mkdir", "mv", "perl", "readlink", "rm"],
  ...["rmdir", "sort", "stat", "touch", "truncate"],
];

const prelude = `
run() { echo "== $*"; "$@" 2>&1; echo "-> $?"; }
write() { echo "$1" >"$1"; }
append() { echo "more" >>"$1"; }
copy_all() { cp -a "$@" 2>&1 | sort; return "\${PIPESTATUS[0]}"; }
call_open() { perl -le 'print sysopen(F, $ARGV[0], $ARGV[1], 0640) ? "opened" : $! + 0' "$@"; }
call_rename() { perl -le 'print rename($ARGV[0], $ARGV[1]) || $! + 0' "$@"; }
call_link() { perl -le 'print link($ARGV[0], $ARGV[1]) || $! + 0' "$@"; }
call_symlink() { perl -le 'print symlink($ARGV[0], $ARGV[1]) || $! + 0' "$@"; }
call_mkdir() { perl -le 'print mkdir($ARGV[0], 0750) || $! + 0' "$@"; }
call_rmdir() { perl -le 'print rmdir($ARGV[0]) || $! + 0' "$@"; }
call_unlink() { perl -le 'print unlink($ARGV[0]) || $! + 0' "$@"; }
call_list() { perl -le 'print opendir(D, $ARGV[0]) ? join(" ", sort readdir D) : $! + 0' "$@"; }
call_look() { perl -le 'print map { (-e $_ ? -d _ ? "directory" : -s _ : $! + 0) . (-l $_ ? " by a link " : " ") } @ARGV' "$@"; }
mkdir -p /work/a/b /work/c /b/a && cd /work || exit
`;

/** A script that does one operation after the other and says how each ends. */
export function operationScript(operations: readonly Words[]): string {
  const quoted = (word: string): string => `'${word}'`;
  return prelude + operations.map((words) => `run ${words.map(quoted).join(" ")}\n`).join("");
}

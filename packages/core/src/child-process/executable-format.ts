/** Bytes at a file's start that tell what it is: what Linux itself looks at, linux/binfmts.h, BINPRM_BUF_SIZE. */
export const headerBytes = 256;

/** Why execve(2) refuses a file that starts so; undefined when it does not, as far as its start tells. */
export function formatProblem(header: Buffer): string | undefined {
  return header.subarray(0, 2).equals(Buffer.from("#!")) ? scriptProblem(header) : nativeProblem(header);
}

/** The interpreter that the first line of a script names. */
export function scriptInterpreter(header: Buffer): string | undefined {
  const [, interpreter] = /^#![ \t]*([^ \t\n\0]+)/.exec(header.toString()) ?? [];
  return interpreter;
}

function scriptProblem(header: Buffer): string | undefined {
  if (process.platform === "win32") return "it is a script, and Windows has no #! lines: run its interpreter instead";
  if (scriptInterpreter(header) !== undefined) return undefined;
  return "its first line has nothing after #!: name an interpreter there, such as #!/bin/sh";
}

function nativeProblem(header: Buffer): string | undefined {
  const magic = header.subarray(0, 4).toString("latin1");
  if (process.platform === "darwin") return machMagics.has(magic) ? undefined : unknownFormat(header);
  if (process.platform === "win32") return magic.startsWith("MZ") ? undefined : unknownFormat(header);
  return magic === "\x7fELF" ? elfProblem(header) : unknownFormat(header);
}

// mach-o/loader.h and mach-o/fat.h: both byte orders, 32 and 64 bits, and files for several processors.
const machMagics: ReadonlySet<string> = new Set([
  "\xfe\xed\xfa\xce",
  "\xfe\xed\xfa\xcf",
  "\xce\xfa\xed\xfe",
  "\xcf\xfa\xed\xfe",
  "\xca\xfe\xba\xbe",
]);

function unknownFormat(header: Buffer): string {
  const isText = !header.includes(0);
  return isText
    ? "it is text without a #! line: name its interpreter in the first line, such as #!/bin/sh"
    : "it is neither an executable of this system nor a script with a #! line";
}

// elf(5): e_machine, by the names that uname(2) gives.
const elfMachines: ReadonlyMap<number, string> = new Map([
  [3, "i386"],
  [8, "mips"],
  [20, "ppc"],
  [21, "ppc64"],
  [22, "s390x"],
  [40, "arm"],
  [62, "x86_64"],
  [183, "aarch64"],
  [243, "riscv64"],
  [258, "loongarch64"],
]);

/** What a processor executes, by Node's name for it. The second of two is the 32-bit form of the first. */
const nativeMachines: Readonly<Record<string, readonly string[]>> = {
  x64: ["x86_64", "i386"],
  ia32: ["i386"],
  arm64: ["aarch64", "arm"],
  arm: ["arm"],
  ppc64: ["ppc64", "ppc"],
  s390x: ["s390x"],
  riscv64: ["riscv64"],
  loong64: ["loongarch64"],
  mips: ["mips"],
  mipsel: ["mips"],
};

function elfProblem(header: Buffer): string | undefined {
  if (header.length < 52) return "it is cut off inside its ELF header";
  const isLittleEndian = header[5] === 1;
  const type = isLittleEndian ? header.readUInt16LE(16) : header.readUInt16BE(16);
  const machine = isLittleEndian ? header.readUInt16LE(18) : header.readUInt16BE(18);
  const name = elfMachines.get(machine) ?? `machine ${machine}`;
  const native = nativeMachines[process.arch] ?? [];
  if (!native.includes(name)) {
    return `it is built for ${name}, and this machine is ${native[0] ?? process.arch}: use one that is built for it`;
  }
  // ET_EXEC and ET_DYN: the rest are object files and memory images.
  return type === 2 || type === 3 ? undefined : "it is an ELF file, but not an executable one: link it first";
}

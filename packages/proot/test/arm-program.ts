/** A program for aarch64 that writes each of its arguments, argv[0] too, with its NUL, and exits with their number. */
export function armProgram(): Buffer {
  const instructions = [
    0xf94003f3, // ldr x19, [sp]            argc
    0x910023f4, // add x20, sp, #8          argv
    0xf8408681, // next: ldr x1, [x20], #8
    0xb4000121, // cbz x1, end
    0xd2800002, // mov x2, #0
    0x38626823, // length: ldrb w3, [x1, x2]
    0x91000442, // add x2, x2, #1
    0x35ffffc3, // cbnz w3, length
    0xd2800020, // mov x0, #1
    0xd2800808, // mov x8, #64              write
    0xd4000001, // svc #0
    0x17fffff7, // b next
    0xaa1303e0, // end: mov x0, x19
    0xd2800ba8, // mov x8, #93              exit
    0xd4000001, // svc #0
  ];
  const start = 64 + 56;
  const size = start + 4 * instructions.length;
  const address = 0x400000n;
  const file = Buffer.alloc(size);
  // elf(5): the header, one segment, the code.
  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(183, 18); // EM_AARCH64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(address + BigInt(start), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  for (const at of [80, 88]) file.writeBigUInt64LE(address, at);
  for (const at of [96, 104]) file.writeBigUInt64LE(BigInt(size), at);
  file.writeBigUInt64LE(0x1000n, 112);
  for (const [index, instruction] of instructions.entries()) file.writeUInt32LE(instruction, start + 4 * index);
  return file;
}

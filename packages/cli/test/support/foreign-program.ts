/** The header of a program for a machine that nobody has any more: elf(5), EM_88K, big-endian. */
export function foreignProgram(): Buffer {
  const header = Buffer.alloc(120);
  header.write("\x7fELF\x01\x02\x01", "latin1");
  header.writeUInt16BE(2, 16);
  header.writeUInt16BE(5, 18);
  header.writeUInt32BE(1, 20);
  return header;
}

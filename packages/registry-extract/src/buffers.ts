/**
 * Gives the memory of a buffer back that nobody needs any more, if it has it to itself. The garbage collector would do
 * so later, and looks through everything for it: again and again, when megabytes go through a program.
 */
export function release(buffer: Buffer): void {
  const memory = buffer.buffer as ArrayBuffer & { transfer?(size: number): ArrayBuffer };
  // Since Node.js 21.
  if (buffer.byteLength === memory.byteLength) memory.transfer?.(0);
}

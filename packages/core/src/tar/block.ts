/** The unit of tar archives, in bytes. */
export const blockSize = 512;

const zeros: Buffer = Buffer.alloc(blockSize);

/** Two empty blocks end an archive. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

/** The number of bytes that fill content of this size up to whole blocks. */
export function paddingSize(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** The zeros that fill content of this size up to whole blocks. */
export function padding(size: number): Buffer {
  return zeros.subarray(0, paddingSize(size));
}

/** True for a block of zeros. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(zeros);
}

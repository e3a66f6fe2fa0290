import { randomInt } from "node:crypto";
import type { ByteString } from "@anyproc/core/tar";

/** Makes a hash function of its own: nobody can choose strings beforehand that all have the same hash. */
export function createStringHash(): (text: ByteString) => number {
  const seed = randomInt(2 ** 32);
  return (text) => {
    let hash = seed ^ text.length;
    for (let i = 0; i < text.length; i += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x5bd1e995);
      // The multiplication alone would carry nothing to the low bits.
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  };
}

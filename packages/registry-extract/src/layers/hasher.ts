import { createHash } from "node:crypto";
import type { NativeFiles } from "./native-files.ts";

/** Computes a digest, piece by piece. */
export interface Hasher {
  /** Takes a piece, which must stay as it is until the promise is settled; only then may the next one come. */
  update(piece: Buffer): Promise<void>;
  /** Takes a piece while the thread stands still. */
  updateSync(piece: Buffer): void;
  /** `ALGORITHM:HEX` of everything. */
  digest(): string;
}

/** A hasher that works in another thread where the addon can, so that the calling one gets on with what it hashes. */
export function createHasher(algorithm: string, native: NativeFiles | undefined): Hasher {
  const hash = native?.createHash(algorithm);
  return hash === undefined ? hasherOfNode(algorithm) : hasherOfAddon(algorithm, hash, native as NativeFiles);
}

function hasherOfAddon(algorithm: string, hash: object, native: NativeFiles): Hasher {
  return {
    update: (piece) => native.updateHash(hash, piece),
    updateSync: (piece) => native.updateHashSync(hash, piece),
    digest: () => `${algorithm}:${native.finishHash(hash).toString("hex")}`,
  };
}

function hasherOfNode(algorithm: string): Hasher {
  const hash = createHash(algorithm);
  return {
    async update(piece) {
      hash.update(piece);
    },
    updateSync: (piece) => void hash.update(piece),
    digest: () => `${algorithm}:${hash.digest("hex")}`,
  };
}

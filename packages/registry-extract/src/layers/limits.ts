import { imageError } from "../errors.ts";
import { MemoryBudget } from "./memory-budget.ts";

/** How much an image may hold. */
export interface ImageLimits {
  /** Uncompressed bytes of all layers. @default 64 GiB */
  readonly maxBytes?: number;
  /** Entries of all layers. @default 1000000 */
  readonly maxEntries?: number;
  /** Uncompressed bytes for one compressed byte, beyond the first 64 MiB of a layer. @default 200 */
  readonly maxRatio?: number;
  /**
   * Memory of the process: an image with more directories than can be remembered in it, or with a layer that wants more
   * to be decompressed, is refused. @default 200 MB
   */
  readonly maxMemoryBytes?: number;
}

/** What the memory of a process is used for. */
export interface MemoryShares {
  /** For whatever is being looked at. */
  readonly heapMb: number;
  /** For directories, files that need a note, and names of one layer: enough for 250,000 directories. */
  readonly rememberedBytes: number;
  /** For what zstd has to remember of its output, in bits of its size. */
  readonly windowLog: number;
}

// What programs that write layers use at most, and zstd(1) up to its level 20.
const leastWindowBytes = 32 * 1024 ** 2;
const leastRememberedBytes = 32e6;
const leastHeapMb = 24;
// With the least of all three.
const leastMemoryBytes = 200e6;
// Places in a StringTable have 32 bits.
const mostRememberedBytes = 2 ** 32 - 1;
// zstd.h, ZSTD_WINDOWLOG_MAX_64.
const mostWindowLog = 31;

/** Shares out the memory of ImageLimits. */
export function memoryShares({ maxMemoryBytes = leastMemoryBytes }: ImageLimits): MemoryShares {
  const quarter = Math.max(0, maxMemoryBytes - leastMemoryBytes) / 4;
  return {
    heapMb: leastHeapMb + Math.floor(quarter / 1e6),
    rememberedBytes: Math.min(mostRememberedBytes, leastRememberedBytes + quarter),
    windowLog: Math.min(mostWindowLog, Math.floor(Math.log2(leastWindowBytes + 2 * quarter))),
  };
}

const gibibyte = 1024 ** 3;
const ratioFrom = 64 * 1024 ** 2;

/** Counts what is unpacked. */
export class LimitCounter {
  /** See MemoryShares. */
  readonly windowLog: number;
  readonly memory: MemoryBudget;
  readonly #limits: Required<Omit<ImageLimits, "maxMemoryBytes">>;
  #bytes = 0;
  #layerBytes = 0;
  #entries = 0;

  constructor(limits: ImageLimits) {
    const { maxBytes = 64 * gibibyte, maxEntries = 1_000_000, maxRatio = 200 } = limits;
    const { windowLog, rememberedBytes } = memoryShares(limits);
    this.windowLog = windowLog;
    this.memory = new MemoryBudget(rememberedBytes);
    this.#limits = { maxBytes, maxEntries, maxRatio };
  }

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#entries;
  }

  beginLayer(): void {
    this.#layerBytes = 0;
  }

  /** @throws ANYPROC_IMAGE_LIMIT */
  addBytes(uncompressed: number, compressedSoFar: number): void {
    const { maxBytes, maxRatio } = this.#limits;
    this.#bytes += uncompressed;
    this.#layerBytes += uncompressed;
    if (this.#bytes > maxBytes) throw exceeded(`more than ${maxBytes} bytes`, "maxBytes");
    if (this.#layerBytes > ratioFrom && this.#layerBytes > compressedSoFar * maxRatio) {
      throw exceeded(`a layer that unpacks to more than ${maxRatio} times its size`, "maxRatio");
    }
  }

  /** @throws ANYPROC_IMAGE_LIMIT */
  addEntry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.maxEntries)
      throw exceeded(`more than ${this.#limits.maxEntries} entries`, "maxEntries");
  }
}

function exceeded(what: string, option: keyof ImageLimits): Error {
  return imageError("ANYPROC_IMAGE_LIMIT", `the image has ${what}: if that is meant, raise ${option}`);
}

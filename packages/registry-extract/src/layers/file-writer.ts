import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import type { EntrySink, TarEntry } from "@anyproc/core/tar";
import type { AttributeWriter } from "./attributes.ts";
import type { DirectoryTree, TreePath } from "./directory-tree.ts";

const createExclusively = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes an empty file where nothing is. */
export function createEmptyFile(host: string | Buffer): void {
  closeSync(openSync(host, createExclusively, 0o600));
}

/** Makes the file of an entry: when its content comes in one piece, as most do, with one call. */
export class FileWriter implements EntrySink {
  readonly #tree: DirectoryTree;
  readonly #attributes: AttributeWriter;
  readonly #path: TreePath;
  readonly #entry: TarEntry;
  #descriptor: number | undefined;
  #isMade = false;
  #written = 0;

  constructor(tree: DirectoryTree, attributes: AttributeWriter, path: TreePath, entry: TarEntry) {
    this.#tree = tree;
    this.#attributes = attributes;
    this.#path = path;
    this.#entry = entry;
  }

  write(chunk: Buffer, position: number): void {
    if (position === 0 && chunk.length === this.#entry.size && this.#makeAtOnce(chunk)) return;
    const descriptor = this.#open();
    for (let done = 0; done < chunk.length; ) {
      done += writeSync(descriptor, chunk, done, chunk.length - done, position + done);
    }
    this.#written = position + chunk.length;
  }

  end(): void {
    if (this.#isMade || (this.#entry.size === 0 && this.#makeAtOnce(Buffer.alloc(0)))) return;
    const descriptor = this.#open();
    if (this.#entry.size > this.#written) ftruncateSync(descriptor, this.#entry.size);
    this.#attributes.setFile(descriptor, this.#tree.host(this.#path), this.#path, this.#entry);
    this.abandon();
  }

  /** Lets go of a file that is not complete. */
  abandon(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #makeAtOnce(content: Buffer): boolean {
    this.#tree.replace(this.#path, (host) => {
      this.#isMade = this.#attributes.makeFile(host, this.#path, this.#entry, content);
    });
    return this.#isMade;
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    let descriptor = -1;
    this.#tree.replace(this.#path, (host) => {
      descriptor = openSync(host, createExclusively, 0o600);
    });
    this.#descriptor = descriptor;
    return descriptor;
  }
}

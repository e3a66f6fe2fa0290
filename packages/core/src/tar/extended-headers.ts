import type { ByteString } from "./entry.ts";
import { invalidArchive } from "./invalid-archive.ts";
import { type PaxRecords, parsePax } from "./pax.ts";
import { readXattrs } from "./xattrs.ts";

// As Go's archive/tar: a longer extended header is an attack on memory.
const mostBytes = 1024 * 1024;

const noRecords: PaxRecords = { values: new Map(), sparse: [] };

/** What extended headers say about one entry. */
export interface Extension {
  /** A pax record, of this entry or of all; one without a value takes back what others say (POSIX pax). */
  readonly get: (key: string) => ByteString | undefined;
  readonly sparse: PaxRecords["sparse"];
  readonly xattrs: ReadonlyMap<ByteString, Buffer>;
  readonly hasAcl: boolean;
  /** GNU's long names. */
  readonly longPath: ByteString | undefined;
  readonly longLinkPath: ByteString | undefined;
}

/** True for the letters of headers that say something about entries to come: pax's (x, X, g), GNU's long names (L, K). */
export function isExtendedHeader(typeFlag: string): boolean {
  return "xXgLK".includes(typeFlag);
}

/** Keeps what extended headers say, until the entry comes that it is about. */
export class ExtendedHeaders {
  readonly #globals = new Map<ByteString, ByteString>();
  #globalBytes = 0;
  #pax: PaxRecords | undefined;
  #longPath: ByteString | undefined;
  #longLinkPath: ByteString | undefined;

  /** True when an entry has to follow. */
  get isPending(): boolean {
    return this.#pax !== undefined || this.#longPath !== undefined || this.#longLinkPath !== undefined;
  }

  /** @throws ANYPROC_ARCHIVE_INVALID */
  checkSize(size: number): void {
    if (size > mostBytes) throw invalidArchive(`an extended header is longer than ${mostBytes} bytes`);
  }

  /** @throws ANYPROC_ARCHIVE_INVALID */
  add(typeFlag: string, data: Buffer): void {
    if (typeFlag === "L") this.#longPath = upToNul(data);
    else if (typeFlag === "K") this.#longLinkPath = upToNul(data);
    else if (typeFlag === "g") this.#addGlobals(parsePax(data).values);
    else this.#pax = parsePax(data);
  }

  /** All that is known about the entry that has come. @throws ANYPROC_ARCHIVE_INVALID */
  take(): Extension {
    const { values, sparse } = this.#pax ?? noRecords;
    const globals = this.#globals;
    const extension: Extension = {
      get: (key) => (values.has(key) ? values.get(key) : globals.get(key)) || undefined,
      sparse,
      xattrs: readXattrs(values),
      hasAcl: values.has("SCHILY.acl.access") || values.has("SCHILY.acl.default"),
      longPath: this.#longPath,
      longLinkPath: this.#longLinkPath,
    };
    this.#pax = undefined;
    this.#longPath = undefined;
    this.#longLinkPath = undefined;
    return extension;
  }

  #addGlobals(values: PaxRecords["values"]): void {
    for (const [key, value] of values) {
      const old = this.#globals.get(key);
      this.#globalBytes += value.length - (old === undefined ? -key.length : old.length);
      this.#globals.set(key, value);
    }
    this.checkSize(this.#globalBytes);
  }
}

function upToNul(data: Buffer): ByteString {
  const nul = data.indexOf(0);
  return data.toString("latin1", 0, nul < 0 ? data.length : nul);
}

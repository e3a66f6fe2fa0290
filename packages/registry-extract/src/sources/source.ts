import type { Descriptor } from "../image/descriptor.ts";
import type { RawManifest } from "../image/manifest.ts";

/** A blob that lies in a file of this machine: alone, or inside an archive. */
export interface FileRegion {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** A blob on its way. */
export interface BlobStream {
  /** Where in the blob the first chunk lies: what was asked for, or 0 from a server that cannot resume. */
  readonly offset: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** Where images come from: a registry, a layout directory, an archive. */
export interface ImageSource extends AsyncDisposable {
  /** Name for messages: `docker.io/library/debian:12`, `oci:/srv/images`. */
  readonly name: string;
  /** Name under which the manifest is remembered, for use without a network; undefined for local sources. */
  readonly cacheKey?: string;
  /** True for an archive of one root filesystem, of which nobody has said what its content must be. */
  readonly isPlainRootfs?: boolean;
  /** The manifest or index that the reference names, or the one with a digest. The digest has been checked. */
  readManifest(digest?: string, signal?: AbortSignal): Promise<RawManifest>;
  /** The blob, when it lies in a file of this machine already. */
  findBlob(descriptor: Descriptor): Promise<FileRegion | undefined>;
  /** Reads a blob from an offset on. Neither its size nor its digest have been checked. */
  openBlob(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream>;
  close(): Promise<void>;
}

import { posix } from "node:path";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { scanTar } from "@anyproc/core/tar";
import type { DockerConnection } from "../connection/connect.ts";
import { isRecord } from "../connection/docker-config.ts";
import { dockerError } from "../errors.ts";
import type { FileRegion } from "../files/file-region.ts";
import { openSpool, type Spool } from "../files/spool.ts";
import { inspectImage } from "../images/image.ts";

/** The layers of an image in files of this machine, as they were when the image was built. */
export interface SavedImage {
  /** Tar archives, lowest first. */
  readonly layers: readonly FileRegion[];
  close(): Promise<void>;
}

/**
 * Lets the daemon save an image: Docker Engine API, "Export an image".
 *
 * @throws ANYPROC_IMAGE_NOT_FOUND, ANYPROC_IMAGE_INVALID and what DockerConnection.request() throws
 */
export async function saveImage(
  connection: DockerConnection,
  image: string,
  signal: AbortSignal | undefined,
): Promise<SavedImage> {
  const spools: Spool[] = [];
  const close = async (): Promise<void> => {
    for (const spool of spools.splice(0)) await spool.close();
  };
  const spooled = async (source: Readable, decompressor?: Duplex): Promise<FileRegion> => {
    const spool = await openSpool();
    spools.push(spool);
    const options = signal ? { signal } : {};
    const stages = decompressor ? [decompressor, spool.writer()] : [spool.writer()];
    await pipeline([source, ...stages], options);
    return spool.content;
  };
  try {
    const archive = await spooled(await openSave(connection, image, signal));
    const layers: FileRegion[] = [];
    for (const layer of await findLayers(image, archive)) {
      const decompressor = decompressorFor(image, await layer.read(0, 4));
      layers.push(
        decompressor ? await spooled(Readable.from(layer.chunks(), { objectMode: false }), decompressor) : layer,
      );
    }
    return { layers, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The stream that `docker save` writes. */
export async function openSave(
  connection: DockerConnection,
  image: string,
  signal: AbortSignal | undefined,
): Promise<Readable> {
  // What a daemon says about an image that it cannot save need not be that there is none.
  await inspectImage(connection, image);
  const answer = (await connection.request(image, (docker) => docker.getImage(image).get())) as Readable;
  // dockerode has no way to abort this request.
  if (signal?.aborted) answer.destroy();
  signal?.throwIfAborted();
  return answer;
}

const mostLinks = 8;

/** The layers that manifest.json names (moby, image/spec/v1.2.md). */
async function findLayers(image: string, archive: FileRegion): Promise<FileRegion[]> {
  const members = new Map<string, FileRegion | { readonly linkPath: string }>();
  for await (const { entry, contentStart } of scanTar(archive.reader())) {
    const path = posix.normalize(entry.path);
    const isLink = entry.type === "symlink" || entry.type === "hardlink";
    // A symlink starts from where it is, a hard link from the top.
    const linkPath = entry.type === "symlink" ? posix.join(posix.dirname(path), entry.linkPath) : entry.linkPath;
    members.set(path, isLink ? { linkPath: posix.normalize(linkPath) } : archive.part(contentStart, entry.size));
  }
  const find = (path: unknown): FileRegion => {
    let member = members.get(String(path));
    for (let links = 0; member && "linkPath" in member && links < mostLinks; links += 1) {
      member = members.get(member.linkPath);
    }
    if (member && !("linkPath" in member)) return member;
    throw incomplete(image, `there is no ${String(path)} in it`);
  };
  const manifest = find("manifest.json");
  const json: unknown = parse(image, await manifest.read(0, manifest.size));
  const saved: unknown = Array.isArray(json) ? json[0] : undefined;
  const layers: unknown = isRecord(saved) ? saved["Layers"] : undefined;
  if (!Array.isArray(layers)) throw incomplete(image, "its manifest.json names no layers");
  return layers.map(find);
}

/** Daemons that keep images as registries have them also save them so. */
function decompressorFor(image: string, start: Buffer): Duplex | undefined {
  const magic = start.toString("hex");
  if (magic.startsWith("1f8b")) return zlib.createGunzip();
  if (magic !== "28b52ffd") return undefined;
  // Node.js has zstd since 22.15.
  if ("createZstdDecompress" in zlib) return (zlib as { createZstdDecompress(): Duplex }).createZstdDecompress();
  throw incomplete(image, "a layer is compressed with zstd, which this Node.js cannot read (22.15 can)");
}

function parse(image: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw incomplete(image, "its manifest.json is not JSON");
  }
}

function incomplete(image: string, reason: string): Error {
  return dockerError("ANYPROC_IMAGE_INVALID", `${image}: what the daemon saved cannot be used: ${reason}`);
}

import { createReadStream } from "node:fs";
import type { Blob } from "../cache/blob.ts";
import { fetchBlob } from "../cache/image-cache.ts";
import { cacheLayout } from "../cache/layout.ts";
import { createLimiter } from "../cache/limiter.ts";
import { digestMismatch, hashFor, parseDigest } from "../image/digest.ts";
import { openImage } from "../image/open-image.ts";
import { retryOptions } from "../registry/connect.ts";
import { openSource } from "../sources/open-source.ts";
import type { FileRegion } from "../sources/source.ts";
import type { ImageOptions } from "./options.ts";

/** A layer as it was fetched, its digest checked. */
export interface FetchedLayer extends FileRegion {
  readonly digest: string;
  /** Digest that it must have when it is uncompressed; undefined when nobody said. */
  readonly diffId: string | undefined;
}

/** Fetches the layers of an image into the cache, lowest first, and unpacks none. @throws as pullImage() */
export async function fetchLayers(
  reference: string,
  options: ImageOptions & { readonly parallel?: number } = {},
): Promise<FetchedLayer[]> {
  const layout = cacheLayout(options.cacheDirectory);
  const source = await openSource(reference, options);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
  const limit = createLimiter(options.parallel ?? 3);
  const { offline = false } = options;
  const retry = retryOptions(options);
  try {
    const { manifest, config } = await openImage(source, layout, options);
    return await Promise.all(
      manifest.layers.map(async (descriptor, index) => {
        const blob = await fetchBlob(layout, source, descriptor, { retry, signal, limit, offline });
        await blob.complete;
        await check(`${source.name}: layer ${descriptor.digest}`, blob);
        await blob.accept();
        const place = (await source.findBlob(descriptor)) ?? {
          path: layout.blob(blob.digest),
          offset: 0,
          size: blob.size,
        };
        return { ...place, digest: blob.digest, diffId: config.diffIds[index] };
      }),
    );
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    await source.close();
  }
}

async function check(what: string, blob: Blob): Promise<void> {
  const hash = hashFor(blob.digest);
  if (blob.size > 0) {
    const end = blob.offset + blob.size - 1;
    for await (const chunk of createReadStream(blob.path, { start: blob.offset, end })) hash.update(chunk as Buffer);
  }
  const actual = `${parseDigest(blob.digest).algorithm}:${hash.digest("hex")}`;
  if (actual === blob.digest) return;
  await blob.reject();
  throw digestMismatch(what, blob.digest, actual);
}

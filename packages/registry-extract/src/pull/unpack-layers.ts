import { rootfsMetadataPath } from "@anyproc/core";
import type { Blob } from "../cache/blob.ts";
import { fetchBlob } from "../cache/image-cache.ts";
import { createLimiter, type Limiter } from "../cache/limiter.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { digestOf } from "../image/digest.ts";
import { applyInWorker } from "../layers/apply-in-worker.ts";
import { DamagedLayerError } from "../layers/apply-layers.ts";
import { findLayer, makeLayer, needsLower, noteUser, type UnpackedLayer } from "./layer-store.ts";
import { limitsOf, type UnpackRequest } from "./unpack-image.ts";

// Two keep two processors busy, and more would need more memory.
const layersAtOnce = 2;

/** What unpacking a stack shares. */
interface StackJob {
  readonly request: UnpackRequest;
  readonly signal: AbortSignal;
  readonly download: Limiter;
  readonly unpack: Limiter;
}

/**
 * Unpacks each layer of an image by itself, those that are not there yet, and returns them lowest first. While
 * `directory` exists they are not pruned.
 */
export async function unpackLayers(request: UnpackRequest, directory: string): Promise<UnpackedLayer[]> {
  const { image, layout, options } = request;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
  const job: StackJob = {
    request,
    signal,
    download: createLimiter(options.parallel ?? 3),
    unpack: createLimiter(layersAtOnce),
  };
  const { diffIds } = image.config;
  const places = diffIds.flatMap((_, index) => [
    layout.layer(nameOf(diffIds, index)),
    layout.layer(chainId(diffIds, index)),
  ]);
  // Before looking: from here on, nobody prunes what is found.
  await noteUser(
    layout,
    directory,
    places.map((place) => `${place}/rootfs`),
  );
  try {
    const layers = diffIds.map((_, index) => unpackByItself(job, index));
    for (const layer of layers) layer.catch((error: unknown) => !needsLower(error) && stop.abort(error));
    return await onTop(job, layers);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

/** Goes through the layers from below, and unpacks those again that turned out to need what is below them. */
async function onTop(job: StackJob, layers: readonly Promise<UnpackedLayer>[]): Promise<UnpackedLayer[]> {
  const stack: UnpackedLayer[] = [];
  for (const [index, layer] of layers.entries()) {
    try {
      stack.push(await layer);
    } catch (error) {
      if (!needsLower(error)) throw error;
      const lowers = stack.map(({ directory }) => directory).reverse();
      const { diffIds } = job.request.image.config;
      stack.push(await unpackLayer(job, index, chainId(diffIds, index), lowers));
    }
  }
  return stack;
}

async function unpackByItself(job: StackJob, index: number): Promise<UnpackedLayer> {
  const { image, layout } = job.request;
  const { diffIds } = image.config;
  const found = (await findLayer(layout, nameOf(diffIds, index))) ?? (await findLayer(layout, chainId(diffIds, index)));
  return found ?? unpackLayer(job, index, nameOf(diffIds, index), undefined);
}

/** One layer from its blob; fetched once more when what was left of an earlier download is damaged. */
async function unpackLayer(
  job: StackJob,
  index: number,
  name: string,
  lowers: readonly string[] | undefined,
): Promise<UnpackedLayer> {
  for (let fresh = false; ; fresh = true) {
    const blob = await fetchLayer(job, index, fresh);
    try {
      return await makeLayer(job.request.layout, name, (directory) => {
        return job.unpack(() => applyOne(job, index, blob, directory, lowers));
      });
    } catch (error) {
      if (!(error instanceof DamagedLayerError)) throw error;
      await blob.reject();
      if (fresh || !blob.isReused) throw error;
    }
  }
}

function fetchLayer({ request, signal, download }: StackJob, layer: number, fresh: boolean): Promise<Blob> {
  const { source, image, layout, retry, options } = request;
  const descriptor = image.manifest.layers[layer] as Descriptor;
  const { digest, size: totalBytes } = descriptor;
  const onBytes = (bytes: number) => options.onProgress?.({ phase: "download", layer, digest, bytes, totalBytes });
  const offline = options.offline ?? false;
  return fetchBlob(layout, source, descriptor, { retry, signal, limit: download, onBytes, fresh, offline });
}

async function applyOne(
  { request, signal }: StackJob,
  layer: number,
  blob: Blob,
  root: string,
  lowers: readonly string[] | undefined,
): Promise<{ readonly whiteouts: UnpackedLayer["whiteouts"]; readonly bytes: number }> {
  const { image, options } = request;
  const { path, offset, size, growth, digest } = blob;
  const failed = blob.complete.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => Promise.reject(error),
  );
  const applied = applyInWorker(
    {
      root,
      metadataPath: rootfsMetadataPath(root),
      layers: [{ path, offset, size, growth, digest, diffId: image.config.diffIds[layer] }],
      privileged: options.privileged ?? process.geteuid?.() === 0,
      limits: limitsOf(options),
      filter: {},
      linkTargets: [],
      stacked: { lowers },
    },
    {
      onProgress(_, bytes) {
        options.onProgress?.({ phase: "unpack", layer, digest, bytes, totalBytes: size });
      },
    },
    signal,
  );
  const { whiteouts, bytes } = await Promise.race([applied, failed]);
  await blob.accept();
  return { whiteouts, bytes };
}

/** The digest that names a layer's content, whatever is below it. */
function nameOf(diffIds: readonly string[], index: number): string {
  return diffIds[index] as string;
}

/** The digest that names a layer together with everything below it (OCI image-spec, config.md, "Layer ChainID"). */
function chainId(diffIds: readonly string[], index: number): string {
  return diffIds
    .slice(1, index + 1)
    .reduce((chain, diffId) => digestOf(Buffer.from(`${chain} ${diffId}`)), diffIds[0] as string);
}

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { imageError } from "../errors.ts";
import type { Descriptor } from "../image/descriptor.ts";
import type { RegistryEndpoint } from "../registry/endpoint.ts";
import { dropBody, type HttpResponse } from "../registry/http.ts";

/** Where blobs are pushed. */
export interface UploadTarget {
  readonly endpoint: RegistryEndpoint;
  readonly repository: string;
  readonly scope: string;
  /** Another repository of the registry that may have the blobs already. */
  readonly mountFrom?: string | undefined;
  /** Bytes of a chunk; undefined: everything in one request. */
  readonly chunkBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a blob came into the repository. */
export type UploadResult = "present" | "mounted" | "uploaded";

/**
 * Brings a blob into a repository, unless it is there (OCI distribution-spec, "Pushing blobs").
 *
 * @throws ANYPROC_REGISTRY_...
 */
export async function uploadBlob(target: UploadTarget, path: string, descriptor: Descriptor): Promise<UploadResult> {
  const { endpoint, repository, mountFrom } = target;
  const { digest, size } = descriptor;
  const what = `${endpoint.name}/${repository}: blob ${digest}`;
  const shared = { scope: target.scope, what, signal: target.signal };
  const head = await endpoint.request({
    ...shared,
    method: "HEAD",
    path: `/v2/${repository}/blobs/${digest}`,
    expected: [404],
  });
  await dropBody(head);
  if (head.status !== 404) return "present";

  const mount = mountFrom === undefined ? "" : `?mount=${digest}&from=${encodeURIComponent(mountFrom)}`;
  const begin = await endpoint.request({
    ...shared,
    method: "POST",
    path: `/v2/${repository}/blobs/uploads/${mount}`,
    headers: { "content-length": "0" },
  });
  await dropBody(begin);
  if (begin.status === 201) return "mounted";
  let location = uploadLocation(what, begin);

  const { chunkBytes } = target;
  if (chunkBytes === undefined) {
    const put = await endpoint.request({
      ...shared,
      method: "PUT",
      path: withDigest(location, digest),
      headers: { "content-type": "application/octet-stream", "content-length": String(size) },
      body: () => createReadStream(path),
    });
    await dropBody(put);
    return "uploaded";
  }
  for (let start = 0; start < size; start += chunkBytes) {
    const chunk = await readChunk(path, start, Math.min(chunkBytes, size - start));
    const patch = await endpoint.request({
      ...shared,
      method: "PATCH",
      path: location,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(chunk.length),
        "content-range": `${start}-${start + chunk.length - 1}`,
      },
      body: chunk,
    });
    await dropBody(patch);
    location = uploadLocation(what, patch);
  }
  const put = await endpoint.request({
    ...shared,
    method: "PUT",
    path: withDigest(location, digest),
    headers: { "content-length": "0" },
  });
  await dropBody(put);
  return "uploaded";
}

function uploadLocation(what: string, { headers }: HttpResponse): string {
  if (headers.location === undefined) {
    throw imageError("ANYPROC_REGISTRY_REFUSED", `${what}: the registry does not say where to upload to`);
  }
  return headers.location;
}

/** The location may have a query of its own. */
function withDigest(location: string, digest: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}

async function readChunk(path: string, start: number, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

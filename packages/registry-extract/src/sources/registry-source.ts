import { isAnyprocError } from "@anyproc/core";
import { imageError } from "../errors.ts";
import type { Descriptor } from "../image/descriptor.ts";
import { checkDigest, digestOf } from "../image/digest.ts";
import { acceptedManifests, type RawManifest } from "../image/manifest.ts";
import { formatReference, type ImageReference } from "../image/reference.ts";
import { connectRegistry, type RegistryConnection } from "../registry/connect.ts";
import type { RegistryEndpoint, RegistryRequest } from "../registry/endpoint.ts";
import { dropBody, type HttpResponse, readBody } from "../registry/http.ts";
import type { RegistryOptions } from "../registry/registry-options.ts";
import type { BlobStream, ImageSource } from "./source.ts";

/** An image in a registry. */
export interface RegistrySource extends ImageSource {
  readonly reference: ImageReference;
  /** Digest of what a tag names, without fetching it; undefined when the registry does not say. */
  headDigest(signal?: AbortSignal): Promise<string | undefined>;
}

// distribution-spec, "Pushing manifests": registries are to take at least 4 MiB, and few take more.
const mostManifestBytes = 4 * 1024 * 1024;

/** Opens an image in a registry. @throws ANYPROC_INVALID_OPTION */
export async function openRegistry(
  reference: ImageReference,
  options: RegistryOptions = {},
  signal?: AbortSignal,
): Promise<RegistrySource> {
  const connection = await connectRegistry(reference.registry, options, signal);
  return registrySource(reference, connection);
}

function registrySource(reference: ImageReference, connection: RegistryConnection): RegistrySource {
  const name = formatReference(reference);
  const scope = `repository:${reference.repository}:pull`;
  const rootName = reference.digest ?? reference.tag ?? "latest";
  const accept = acceptedManifests.join(", ");

  /** Asks the mirrors, then the registry itself, whose failure is the one that counts. */
  async function ask(request: Omit<RegistryRequest, "scope">): Promise<HttpResponse> {
    for (const mirror of connection.mirrors) {
      const response = await askMirror(mirror, request);
      if (response) return response;
    }
    return connection.endpoint.request({ ...request, scope });
  }

  async function askMirror(
    mirror: RegistryEndpoint,
    request: Omit<RegistryRequest, "scope">,
  ): Promise<HttpResponse | undefined> {
    try {
      return await mirror.request({ ...request, scope });
    } catch (error) {
      if (isAnyprocError(error)) return undefined;
      throw error;
    }
  }

  async function readManifest(digest?: string, signal?: AbortSignal): Promise<RawManifest> {
    const wanted = digest ?? rootName;
    const what = digest === undefined ? name : `${name}: manifest ${digest}`;
    const response = await ask({
      path: `/v2/${reference.repository}/manifests/${wanted}`,
      what,
      headers: { accept },
      signal,
    });
    const bytes = await readBody(what, response.body, mostManifestBytes);
    const expected = digest ?? reference.digest;
    if (expected !== undefined) checkDigest(what, bytes, expected);
    const mediaType = String(response.headers["content-type"] ?? "").split(";")[0] as string;
    return { mediaType, digest: expected ?? digestOf(bytes), bytes };
  }

  async function headDigest(signal?: AbortSignal): Promise<string | undefined> {
    const response = await ask({
      method: "HEAD",
      path: `/v2/${reference.repository}/manifests/${rootName}`,
      what: name,
      headers: { accept },
      signal,
    });
    await dropBody(response);
    const digest = response.headers["docker-content-digest"];
    return typeof digest === "string" ? digest : undefined;
  }

  async function openBlob(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<BlobStream> {
    const response = await ask({
      path: `/v2/${reference.repository}/blobs/${descriptor.digest}`,
      what: `${name}: blob ${descriptor.digest}`,
      ...(offset > 0 && { headers: { range: `bytes=${offset}-` } }),
      // Some layers of Windows images are at their maker's alone; 416 is the answer when nothing is left to send.
      expected: [416, ...(descriptor.urls?.length ? [404] : [])],
      signal,
    });
    if (response.status === 404) {
      await dropBody(response);
      return openElsewhere(descriptor, signal);
    }
    if (response.status === 416) {
      await dropBody(response);
      return { offset, chunks: noChunks() };
    }
    return { offset: resumedAt(response, offset), chunks: response.body };
  }

  async function openElsewhere(descriptor: Descriptor, signal: AbortSignal): Promise<BlobStream> {
    for (const text of descriptor.urls ?? []) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url?.protocol !== "https:") continue;
      const response = await connection.http.send({ method: "GET", url, signal });
      if (response.status === 200) return { offset: 0, chunks: response.body };
      await dropBody(response);
    }
    throw imageError("ANYPROC_IMAGE_NOT_FOUND", `${name}: blob ${descriptor.digest} is nowhere to be had`);
  }

  async function close(): Promise<void> {
    connection.close();
  }

  return {
    name,
    reference,
    cacheKey: name,
    readManifest,
    headDigest,
    findBlob: async () => undefined,
    openBlob,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function* noChunks(): AsyncGenerator<Buffer> {}

/** Where a partial answer begins (RFC 9110, Content-Range); a server that ignores Range sends everything. */
function resumedAt(response: HttpResponse, asked: number): number {
  if (response.status !== 206) return 0;
  const start = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "")?.[1];
  return start === undefined ? asked : Number(start);
}

import { parseJsonObject } from "../image/parse-json.ts";
import { parseReference } from "../image/reference.ts";
import { connectRegistry } from "../registry/connect.ts";
import { readBody } from "../registry/http.ts";
import type { RegistryOptions } from "../registry/registry-options.ts";

const mostBytes = 16 * 1024 * 1024;
const mostTags = 1_000_000;
const mostPages = 1000;

/**
 * The tags of a repository, sorted; the reference's own tag does not matter.
 *
 * @throws ANYPROC_REFERENCE_INVALID, ANYPROC_IMAGE_NOT_FOUND, ANYPROC_REGISTRY_...
 */
export async function listTags(
  reference: string,
  options: RegistryOptions & { readonly signal?: AbortSignal } = {},
): Promise<string[]> {
  const { registry, repository } = parseReference(reference);
  const connection = await connectRegistry(registry, options, options.signal);
  const what = `${registry}/${repository}: its tags`;
  const tags = new Set<string>();
  try {
    let path: string | undefined = `/v2/${repository}/tags/list`;
    for (let page = 0; path !== undefined && page < mostPages; page += 1) {
      const response = await connection.endpoint.request({
        path,
        scope: `repository:${repository}:pull`,
        what,
        signal: options.signal,
      });
      const { tags: listed } = parseJsonObject(what, await readBody(what, response.body, mostBytes), mostTags);
      for (const tag of Array.isArray(listed) ? listed : []) if (typeof tag === "string") tags.add(tag);
      path = nextPage(response.headers["link"]);
    }
  } finally {
    connection.close();
  }
  return [...tags].sort();
}

/** The next page of a long list (distribution-spec, "Listing Tags"; RFC 8288). */
function nextPage(link: string | string[] | undefined): string | undefined {
  return /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(link ?? ""))?.[1];
}

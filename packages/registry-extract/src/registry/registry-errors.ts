import { imageError } from "../errors.ts";
import { isRecord } from "../image/descriptor.ts";
import { type HttpResponse, readBody } from "./http.ts";
import { parseRetryAfter } from "./retry.ts";

/** The error for an answer that is a failure; reads its body. */
export async function answerError(registry: string, what: string, response: HttpResponse): Promise<Error> {
  const detail = await readDetail(response);
  const said = detail === "" ? "" : ` (${detail})`;
  switch (response.status) {
    case 401:
    case 403:
      return imageError(
        "ANYPROC_REGISTRY_UNAUTHORIZED",
        `${what}: ${registry} refuses${said}: it does not exist, or it is private: check the name, or docker login ${registry}`,
      );
    case 404:
      return imageError(
        "ANYPROC_IMAGE_NOT_FOUND",
        `${what}: ${registry} does not have it${said}: check the name and the tag`,
      );
    case 429:
      return imageError("ANYPROC_REGISTRY_RATE_LIMITED", rateLimitMessage(registry, what, response));
    default:
      return imageError("ANYPROC_REGISTRY_REFUSED", `${what}: ${registry} answered ${response.status}${said}`);
  }
}

/** Docker Hub's limits are per address and six hours for anonymous pulls; its headers say `100;w=21600`. */
function rateLimitMessage(registry: string, what: string, { headers }: HttpResponse): string {
  const [count, window] = String(headers["ratelimit-limit"] ?? "").split(";w=");
  const limit = count && window ? `, and allows ${count} in ${Math.round(Number(window) / 3600)} hours` : "";
  const wait = parseRetryAfter(headers["retry-after"]);
  const later = wait === undefined ? "wait" : `wait ${Math.ceil(wait / 1000)} s`;
  const hub = registry === "docker.io" ? "; pulls without a login are counted per internet address" : "";
  return (
    `${what}: ${registry} has had too many requests from here (429)${limit}${hub}: ` +
    `${later}, log in (docker login ${registry}), or pull from a mirror`
  );
}

/** What a registry says about a failure (distribution-spec, error codes), made fit for one line. */
async function readDetail({ body }: HttpResponse): Promise<string> {
  try {
    const text = (await readBody("an answer", body, 64 * 1024)).toString("utf8");
    const json: unknown = JSON.parse(text);
    const errors = isRecord(json) && Array.isArray(json["errors"]) ? json["errors"] : [];
    const [first] = errors.filter(isRecord);
    const parts = [first?.["code"], first?.["message"]].filter((part) => typeof part === "string");
    return parts
      .join(": ")
      .replaceAll(/[^\x20-\x7e]/g, " ")
      .slice(0, 200);
  } catch {
    body.destroy();
    return "";
  }
}

import { AnyprocError } from "@anyproc/core";

/**
 * Where SHA-256 digests come from: 64 hexadecimal digits, or the text that sha256sum(1) prints, with any number of
 * lines; the 32 bytes themselves; what has a `digest`, such as a Runnable; a list of any of these. Null and undefined
 * stand for none. See readDigests() for streams.
 */
export type DigestSource =
  | string
  | Uint8Array
  | ArrayBuffer
  | { readonly digest: string }
  | Iterable<DigestSource>
  | null
  | undefined;

/**
 * The digests as lower-case hexadecimal text.
 *
 * @throws ANYPROC_EMRUN_INVALID_DIGEST, naming what is not a digest
 */
export function parseDigests(source: DigestSource): string[] {
  if (source === null || source === undefined) return [];
  if (typeof source === "string") return source.split("\n").flatMap(parseLine);
  if (source instanceof ArrayBuffer) return [fromBytes(new Uint8Array(source))];
  if (source instanceof Uint8Array) return [fromBytes(source)];
  if (typeof source === "object") {
    if (Symbol.iterator in source) return Array.from(source).flatMap(parseDigests);
    if ("digest" in source && typeof source.digest === "string") return parseLine(source.digest);
    if (Symbol.asyncIterator in source) throw invalid("a stream: give what readDigests() makes of it");
  }
  throw invalid(`a ${typeof source}: give hexadecimal text, 32 bytes, or a list of them`);
}

/** The one digest of a text. @throws ANYPROC_EMRUN_INVALID_DIGEST */
export function parseDigest(text: string): string {
  const [digest, ...others] = parseDigests(text);
  if (digest === undefined || others.length > 0)
    throw invalid(`${JSON.stringify(text.slice(0, 80))}: give exactly one`);
  return digest;
}

/**
 * Reads digests from a stream or a list of chunks: the text that sha256sum(1) prints.
 *
 * @example
 * const policy = allowAll.withPolicy("deny").withRule("allow", await readDigests(createReadStream("SHA256SUMS")));
 * @throws ANYPROC_EMRUN_INVALID_DIGEST; whatever the stream fails with
 */
export async function readDigests(
  source: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): Promise<string[]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of source) text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  return parseDigests(text + decoder.decode());
}

// sha256sum(1): the digest, then white space and the file's name; a backslash in front when the name is escaped.
function parseLine(line: string): string[] {
  const text = line.trim().replace(/^\\/, "");
  if (text === "" || text.startsWith("#")) return [];
  const [, digest, rest] = /^([0-9a-f]*)(.*)$/is.exec(text) ?? [];
  if (digest?.length === 64 && (rest === "" || /^\s/.test(rest ?? ""))) return [digest.toLowerCase()];
  throw invalid(`${JSON.stringify(line.slice(0, 80))}: a line starts with 64 hexadecimal digits, then white space`);
}

function fromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 32) throw invalid(`${bytes.length} bytes: it has 32`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function invalid(what: string): AnyprocError {
  return new AnyprocError("ANYPROC_EMRUN_INVALID_DIGEST", `not a SHA-256 digest: ${what}`);
}

import { imageError } from "../errors.ts";
import { isRecord } from "./descriptor.ts";

const quote = 0x22;
const backslash = 0x5c;
// Each value but the first has one of them before it.
const separators: ReadonlySet<number> = new Set(Buffer.from(",[{"));

/**
 * Parses JSON of others: three bytes of it can take a hundred bytes of memory, and so its values are counted before.
 *
 * @param mostValues An index of 10,000 platforms has about as many as the default.
 * @throws ANYPROC_IMAGE_INVALID, ANYPROC_IMAGE_LIMIT
 */
export function parseJson(what: string, bytes: Buffer, mostValues = 100_000): unknown {
  if (countValues(bytes) > mostValues) {
    throw imageError(
      "ANYPROC_IMAGE_LIMIT",
      `${what}: has more than ${mostValues} values, which no image needs: it is refused`,
    );
  }
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw imageError("ANYPROC_IMAGE_INVALID", `${what}: is not JSON: it is not an image, or it was damaged`, error);
  }
}

/** Parses JSON that must be an object. @throws as parseJson() */
export function parseJsonObject(what: string, bytes: Buffer, mostValues?: number): Record<string, unknown> {
  const value = parseJson(what, bytes, mostValues);
  if (isRecord(value)) return value;
  throw imageError("ANYPROC_IMAGE_INVALID", `${what} is not a JSON object: the image was built or stored wrongly`);
}

function countValues(bytes: Buffer): number {
  let count = 1;
  let isInString = false;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    if (byte === quote) isInString = !isInString;
    else if (!isInString) count += separators.has(byte) ? 1 : 0;
    else if (byte === backslash) i += 1;
  }
  return count;
}

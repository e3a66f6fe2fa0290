import { type ByteString, toByteString } from "@anyproc/core/tar";
import { imageError } from "../errors.ts";

/** Which part of an image is unpacked. */
export interface FilterOptions {
  /**
   * Only what matches one of these: paths from the root of the image, in which `*` and `?` stand for characters of one
   * name, `[abc]` for one of several, and `**` for any number of directories. A directory brings everything below it.
   *
   * @default everything
   */
  readonly include?: readonly string[];
  /** All but what matches one of these; it wins over `include`. @default nothing */
  readonly exclude?: readonly string[];
  /** How many names are taken off the front of every path; what has no more is left out. @default 0 */
  readonly stripComponents?: number;
}

/** What a worker thread is told about it. */
export interface JobFilter extends FilterOptions {
  /** Only these paths, and nothing below them. */
  readonly exactly?: readonly string[];
}

/** Tells whether a path is wanted. */
export type PathFilter = (path: ByteString) => boolean;

/** Makes the filter; undefined when everything is wanted. @throws ANYPROC_INVALID_OPTION */
export function createPathFilter({ include, exclude, exactly }: JobFilter): PathFilter | undefined {
  if (exactly) {
    const paths = new Set(exactly.map(toByteString));
    return (path) => paths.has(path);
  }
  if (!include && !exclude?.length) return undefined;
  const wanted = include?.map(globPattern);
  const unwanted = (exclude ?? []).map(globPattern);
  return (path) => (!wanted || wanted.some((glob) => glob.test(path))) && !unwanted.some((glob) => glob.test(path));
}

/** A glob as an expression that also matches everything below. */
function globPattern(glob: string): RegExp {
  const names = toByteString(glob)
    .split("/")
    .filter((name) => name !== "" && name !== ".");
  if (names.length === 0) return /(?:)/;
  if (names.includes("..")) throw invalid(glob, "paths begin at the root of the image: write it without ..");
  const parts = names.map((name, index) => {
    const isLast = index === names.length - 1;
    if (name === "**") return isLast ? "[^]+" : "(?:[^/]+/)*";
    return `${namePattern(glob, name)}${isLast ? "" : "/"}`;
  });
  try {
    return new RegExp(`^${parts.join("")}(?:/[^]*)?$`);
  } catch {
    throw invalid(glob, "the characters of a range are in the wrong order");
  }
}

function namePattern(glob: string, name: string): string {
  return name.replaceAll(/\[(!|\^)?([^\]]+)\]|\*+|\?|\[|[\\^$.+(){}|\]]/g, (token, negated?: string, set?: string) => {
    if (set !== undefined) return `[${negated ? "^/" : ""}${set.replaceAll(/[\\[^]/g, "\\$&")}]`;
    if (token.startsWith("*")) return "[^/]*";
    if (token === "?") return "[^/]";
    if (token === "[") throw invalid(glob, "a [ has no ]");
    return `\\${token}`;
  });
}

function invalid(glob: string, reason: string): Error {
  return imageError("ANYPROC_INVALID_OPTION", `pattern ${JSON.stringify(glob)}: ${reason}`);
}

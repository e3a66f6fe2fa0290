import { copyFileSync, lstatSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { imageError } from "../errors.ts";
import type { ByteString } from "../tar/entry.ts";
import type { AttributeWriter } from "./attributes.ts";
import type { TreePath } from "./directory-tree.ts";

void [copyFileSync, lstatSync, readlinkSync, symlinkSync, join];

/** Gets the content of hard links whose target only lower layers have. */
export function copyFromLower(
  _root: string,
  _lowers: readonly string[],
  _attributes: AttributeWriter,
): (target: readonly ByteString[], path: TreePath) => boolean {
  return () => {
    throw imageError("ANYPROC_LAYER_NEEDS_LOWER", "later");
  };
}

import { closeSync, openSync } from "node:fs";
import { systemErrorCode } from "@anyproc/core";
import type { DirectoryTree, TreePath } from "./directory-tree.ts";
import type { NativeFiles } from "./native-files.ts";

/** How whiteouts stand in an unpacked layer. */
export type WhiteoutForm =
  /** Character devices 0:0 and the attribute overlay.opaque, as overlayfs has them. */
  | "overlay"
  /** Files named `.wh.NAME` and `.wh..wh..opq`, as layers have them; fuse-overlayfs reads both. */
  | "names";

/** Writes whiteouts into a layer that is unpacked by itself. */
export interface WhiteoutWriter {
  /** Hides a name of lower layers. */
  hide(directory: TreePath, name: string): void;
  /** Hides all that lower layers have in a directory. */
  hideAll(directory: TreePath): void;
}

/** The form that this user can write here. */
export function findWhiteoutForm(
  tree: DirectoryTree,
  native: NativeFiles | undefined,
  privileged: boolean,
): WhiteoutForm {
  if (!native) return "names";
  const probe = tree.host("");
  try {
    native.setXattr(Buffer.from(probe), Buffer.from(opaqueAttribute(privileged)), Buffer.from("n"));
    return "overlay";
  } catch {
    return "names";
  }
}

/**
 * The kernel's overlayfs reads `trusted.` attributes, which root alone can write, or with the mount option userxattr
 * `user.` ones (Documentation/filesystems/overlayfs.rst).
 */
export function opaqueAttribute(privileged: boolean): string {
  return privileged ? "trusted.overlay.opaque" : "user.overlay.opaque";
}

/** Writes one form. */
export function createWhiteoutWriter(
  tree: DirectoryTree,
  form: WhiteoutForm,
  native: NativeFiles | undefined,
  privileged: boolean,
): WhiteoutWriter {
  function createEmpty(path: TreePath): void {
    tree.replace(path, (host) => closeSync(openSync(host, "wx", 0o600)));
  }
  const join = (directory: TreePath, name: string) => (directory === "" ? name : `${directory}/${name}`);
  if (form === "names" || !native) {
    return {
      hide: (directory, name) => createEmpty(join(directory, `.wh.${name}`)),
      hideAll: (directory) => createEmpty(join(directory, ".wh..wh..opq")),
    };
  }
  return {
    hide(directory, name) {
      const path = join(directory, name);
      try {
        // Anybody may make this one device (mknod(2), since Linux 5.8).
        native.makeNode(Buffer.from(tree.host(path)), 0o020000, 0, 0);
      } catch (error) {
        // What the layer itself has at this place hides the lower one as well.
        if (systemErrorCode(error) !== "EEXIST") throw error;
      }
    },
    hideAll(directory) {
      native.setXattr(Buffer.from(tree.host(directory)), Buffer.from(opaqueAttribute(privileged)), Buffer.from("y"));
    },
  };
}

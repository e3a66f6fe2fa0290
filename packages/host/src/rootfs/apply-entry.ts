import { chmod, copyFile, link, mkdir, open, symlink } from "node:fs/promises";
import { systemErrorCode } from "@anyproc/core";
import { bytesOf, invalidArchive, type Piece, printable, type TarEntry, type UnknownEntry } from "@anyproc/core/tar";
import { setOwner, setTime } from "./attributes.ts";
import { checkSymlink, componentsOf, unsafePath } from "./entry-path.ts";
import { makeNode } from "./make-node.ts";
import type { ReportBuilder } from "./report.ts";
import type { Tree } from "./tree.ts";

/** Unpacks entries into a tree. Directories get their modes and times at the end: filling them changes both. */
export class Applier {
  readonly #tree: Tree;
  readonly #report: ReportBuilder;
  readonly #directories: Map<string, { readonly place: readonly string[]; readonly entry: TarEntry }> = new Map();

  constructor(tree: Tree, report: ReportBuilder) {
    this.#tree = tree;
    this.#report = report;
  }

  async apply(entry: TarEntry | UnknownEntry, content: AsyncIterable<Piece>): Promise<void> {
    this.#report.entries += 1;
    if (entry.type === "unknown") {
      this.#report.lose(entry.path, "file type", "this type of entry means nothing here: it was left out");
      return;
    }
    const components = componentsOf(entry.path, entry);
    const name = components.pop();
    if (name === undefined && entry.type !== "directory") throw unsafePath(entry, "it would replace the rootfs itself");
    const parent = await this.#tree.directory(components, entry);
    const place = name === undefined ? parent : [...parent, name];
    switch (entry.type) {
      case "directory":
        return this.#directory(place, entry);
      case "file":
        return this.#file(place, entry, content);
      case "symlink":
        return this.#symlink(place, entry);
      case "hardlink":
        return this.#hardLink(place, entry);
      default:
        return this.#node(place, entry);
    }
  }

  /** Gives directories their attributes, the deepest first. */
  async finish(): Promise<void> {
    for (const { place, entry } of [...this.#directories.values()].sort((a, b) => b.place.length - a.place.length)) {
      const path = this.#tree.path(place);
      // A later entry may have put something else there, or a symlink on the way.
      if (!(await this.#tree.holds(place))) continue;
      await setOwner(path, entry, this.#report);
      await setTime(path, entry, this.#report);
      await chmod(path, entry.mode);
      this.#tree.forgetMode(place);
    }
  }

  async #directory(place: readonly string[], entry: TarEntry): Promise<void> {
    if (!(await this.#tree.look(place))?.isDirectory()) {
      await this.#tree.remove(place);
      await mkdir(this.#tree.path(place), { mode: 0o700 });
    }
    this.#directories.set(place.join("/"), { place, entry });
    this.#reportXattrs(entry);
  }

  async #file(place: readonly string[], entry: TarEntry, content: AsyncIterable<Piece>): Promise<void> {
    await this.#tree.remove(place);
    const path = this.#tree.path(place);
    const file = await open(path, "wx", 0o600);
    try {
      for await (const { data, position } of content) {
        for (let at = 0; at < data.length; ) {
          at += (await file.write(data, at, data.length - at, position + at)).bytesWritten;
        }
        this.#report.bytes += data.length;
      }
      if (entry.size > 0) await file.truncate(entry.size);
    } finally {
      await file.close();
    }
    await setOwner(path, entry, this.#report);
    await chmod(path, entry.mode);
    await setTime(path, entry, this.#report);
    this.#reportXattrs(entry);
  }

  async #symlink(place: readonly string[], entry: TarEntry): Promise<void> {
    if (entry.linkPath === "") throw invalidArchive(`${printable(entry.path)} is a symlink to nothing`);
    checkSymlink(place.slice(0, -1), entry);
    await this.#tree.remove(place);
    const path = this.#tree.path(place);
    await symlink(bytesOf(entry.linkPath), path);
    await setOwner(path, entry, this.#report);
    await setTime(path, entry, this.#report);
    this.#reportXattrs(entry);
  }

  async #hardLink(place: readonly string[], entry: TarEntry): Promise<void> {
    const components = componentsOf(entry.linkPath, entry);
    const name = components.pop();
    const target = name === undefined ? [] : [...(await this.#tree.directory(components, entry)), name];
    const stats = await this.#tree.look(target);
    if (!stats || stats.isDirectory()) {
      throw invalidArchive(`${printable(entry.path)} is a hard link to ${printable(entry.linkPath)}, which is no file`);
    }
    if (target.join("/") === place.join("/")) return;
    await this.#tree.remove(place);
    const [from, to] = [this.#tree.path(target), this.#tree.path(place)];
    const code = await link(from, to).then(() => undefined, systemErrorCode);
    if (code === undefined) return;
    if (!stats.isFile()) throw invalidArchive(`${printable(entry.path)} cannot be linked (${code})`);
    await copyFile(from, to);
    await chmod(to, Number(stats.mode) & 0o7777);
    this.#report.lose(entry.path, "hard link", `the file system refuses hard links here (${code}): it is a copy`);
  }

  async #node(place: readonly string[], entry: TarEntry): Promise<void> {
    await this.#tree.remove(place);
    const path = this.#tree.path(place);
    const failure = await makeNode(path, entry);
    if (failure !== undefined) {
      this.#report.lose(entry.path, entry.type === "fifo" ? "file type" : "device", failure);
      return;
    }
    await setOwner(path, entry, this.#report);
    await chmod(path, entry.mode);
    await setTime(path, entry, this.#report);
  }

  #reportXattrs(entry: TarEntry): void {
    const names = [...entry.xattrs.keys(), ...(entry.hasAcl ? ["access control list"] : [])];
    if (names.length === 0) return;
    this.#report.lose(entry.path, "xattr", `Node cannot set extended attributes: ${names.map(printable).join(", ")}`);
  }
}

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { endOfArchive, padding } from "@anyproc/core/tar";
import fc from "fast-check";
import { extract } from "tar-stream";
import { describe, expect, it } from "vitest";
import { tarHeader } from "../src/rootfs/tar-header.ts";
import { checkPath, type TreeEntry } from "../src/rootfs/tree.ts";

const name = fc.stringMatching(/^[a-zäß€🙂 .'"-]{1,60}$/u).filter((text) => text !== "." && text !== "..");
const entry = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 8 }).map((names) => names.join("/")),
  type: fc.constantFrom("file", "directory", "symlink", "fifo"),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  size: fc.integer({ min: 0, max: 2000 }),
  mtime: fc.integer({ min: 0, max: 2 ** 34 }),
  target: fc.array(name, { minLength: 1, maxLength: 8 }).map((names) => names.join("/")),
});

describe("tar headers", () => {
  it("say the same to another implementation, however long names and numbers are", async () => {
    await fc.assert(
      fc.asyncProperty(entry, async (generated) => {
        const original: TreeEntry = {
          ...generated,
          target: generated.type === "symlink" ? generated.target : undefined,
        };
        const content = original.type === "file" ? Buffer.alloc(original.size, "x") : Buffer.alloc(0);
        const parser = extract();
        Readable.from([Buffer.concat([tarHeader(original), content, padding(content.length), endOfArchive])]).pipe(
          parser,
        );
        for await (const found of parser) {
          const { header } = found;
          expect(header.name.replace(/\/$/, "")).toBe(original.path);
          expect([header.type, header.size]).toEqual([original.type, content.length]);
          expect(header.linkname ?? undefined).toBe(original.target);
          expect([header.uid, header.gid, header.mtime?.getTime()]).toEqual([
            original.uid,
            original.gid,
            original.mtime * 1000,
          ]);
          found.resume();
        }
      }),
      { numRuns: 200 },
    );
  });

  it("are read by GNU tar, with sizes beyond eight gigabytes and times before 1970", () => {
    const directory = mkdtempSync(join(tmpdir(), "anyproc-tar-"));
    const sizeBytes = 9 * 2 ** 30;
    const large: TreeEntry = { path: "large", type: "file", mode: 0o644, uid: 0, gid: 0, size: sizeBytes, mtime: -1 };
    writeFileSync(join(directory, "archive"), tarHeader(large));
    const script = 'TZ=UTC tar --full-time -tvf "$1" 2>/dev/null; true';
    const listed = execFileSync("sh", ["-c", script, "sh", join(directory, "archive")], { encoding: "utf8" });
    expect(listed).toContain(`${sizeBytes} 1969-12-31 23:59:59`);
    rmSync(directory, { recursive: true });
  });
});

describe("paths from elsewhere", () => {
  it.each(["", "/etc/passwd", "..", "a/../b", "a//b", "./a", "a/.", "a\0b"])("%j is refused", (path) => {
    expect(() => checkPath(path, "source")).toThrow(expect.objectContaining({ code: "ANYPROC_UNSAFE_PATH" }));
  });

  it.each(["a", "a/b", "...", "a..b/..c"])("%j is fine", (path) => {
    expect(checkPath(path, "source")).toBe(path);
  });
});

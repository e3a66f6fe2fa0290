import { createHash } from "node:crypto";
import { ftruncateSync, openSync, readFileSync, readlinkSync, statSync, writeSync } from "node:fs";
import { open as openFile, readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import { open, run } from "@anyproc/emrun";
import * as efrun from "@anyproc/emrun/efrun";
import { describe, expect, test } from "vitest";
import { hasAddon, implementations } from "./implementations.ts";
import { script } from "./payloads.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** ECMAScript 2024, as every Node.js from 20 on has it. */
type ResizableArrayBuffer = new (
  size: number,
  options: { readonly maxByteLength: number },
) => ArrayBuffer & { resize(size: number): void };

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe.each(implementations)("$name open", ({ functions }) => {
  test("gives the digest and the bytes, from any position", async () => {
    await using payload = await functions.open(Buffer.from("0123456789"));
    expect(payload.digest).toBe(sha256(Buffer.from("0123456789")));
    expect(payload.sizeBytes).toBe(10);
    const buffer = Buffer.alloc(4);
    expect(await payload.read(buffer)).toBe(4);
    expect(await payload.read(buffer)).toBe(4);
    expect(buffer.toString()).toBe("4567");
    expect(payload.seek(-1, "current")).toBe(7);
    expect(await payload.read(buffer)).toBe(3);
    expect(await payload.read(buffer)).toBe(0);
    expect(payload.seek(-10, "end")).toBe(0);
    expect(payload.seek(2)).toBe(2);
    expect(() => payload.seek(-3, "current")).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
  });

  test.each([
    ["no bytes", new Uint8Array(), "ANYPROC_EMRUN_EMPTY"],
    ["text", "#!/bin/sh" as unknown as Uint8Array, "ANYPROC_INVALID_OPTION"],
    ["a wider array", new Uint16Array(4) as unknown as Uint8Array, "ANYPROC_INVALID_OPTION"],
  ])("refuses %s", async (_what, payload, code) => {
    await expect(functions.open(payload)).rejects.toMatchObject({ code });
  });

  test("a part of a larger buffer is the payload, not the buffer", async () => {
    const whole = Buffer.from("junk#!/bin/sh\necho part\njunk");
    await using payload = await functions.open(whole.subarray(4, -4));
    expect(payload.digest).toBe(sha256(Buffer.from("#!/bin/sh\necho part\n")));
    expect(String((await functions.run(payload)).combinedOutput)).toBe("part\n");
  });

  test.each([1024 * 1024, 1024 * 1024 + 1, 9_000_001])("hashes and keeps %i bytes", async (size) => {
    const bytes = Buffer.alloc(size, "anyproc");
    await using payload = await functions.open(bytes);
    expect(payload.digest).toBe(sha256(bytes));
    const copy = Buffer.alloc(size);
    expect(await payload.read(copy)).toBe(size);
    expect(copy.equals(bytes)).toBe(true);
  });

  test("a buffer that shrinks meanwhile was taken as it was", async () => {
    const size = 8_000_000;
    const buffer = new (ArrayBuffer as unknown as ResizableArrayBuffer)(size, { maxByteLength: size });
    const bytes = new Uint8Array(buffer).fill(1);
    const digest = sha256(bytes);
    const opening = functions.open(bytes);
    buffer.resize(1);
    await using payload = await opening;
    expect(payload).toMatchObject({ digest, sizeBytes: size });
  });

  test("can be closed twice, and not be used after", async () => {
    const payload = await functions.open(script("echo"));
    await payload.close();
    await payload.close();
    await expect(payload.read(Buffer.alloc(1))).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
    await expect(functions.run(payload)).rejects.toMatchObject({ code: "ANYPROC_CLOSED" });
  });

  test("closing lets what is being read be read", async () => {
    const bytes = Buffer.alloc(20_000_000, "anyproc");
    const payload = await functions.open(bytes);
    const copy = Buffer.alloc(bytes.length);
    const reading = payload.read(copy);
    await Promise.all([payload.close(), functions.open(script("takes the number of a descriptor that is free"))]);
    expect(await reading).toBe(bytes.length);
    expect(copy.equals(bytes)).toBe(true);
  });

  test("many at once", async () => {
    const payloads = await Promise.all(
      Array.from({ length: 64 }, (_, index) => functions.open(script(`exit ${index}`))),
    );
    const results = await Promise.all(payloads.map((payload) => functions.run(payload, [], { reject: false })));
    expect(results.map((result) => result.exitCode)).toEqual(Array.from({ length: 64 }, (_, index) => index));
    await Promise.all(payloads.map((payload) => payload.close()));
  });
});

describe.runIf(hasAddon)("a memory file", () => {
  test("is named by its digest, and is executable", async () => {
    await using payload = await open(script("true"));
    expect(payload.isMemfd).toBe(true);
    expect(payload.fallbackReason).toBeUndefined();
    expect(payload.name).toMatch(/^\/proc\/self\/fd\/\d+$/);
    expect(readlinkSync(payload.name)).toBe(`/memfd:${payload.digest} (deleted)`);
    expect(statSync(payload.name).mode & 0o111).toBe(0o111);
  });

  test("is sealed: nobody changes what was hashed", async () => {
    await using payload = await open(script("echo original"));
    const writable = await openFile(payload.name, "r+");
    try {
      expect(() => writeSync(writable.fd, "#!/bin/sh\necho changed", 0)).toThrow(/EPERM/);
      expect(() => ftruncateSync(writable.fd, 4)).toThrow(/EPERM/);
      expect(() => ftruncateSync(writable.fd, 4096)).toThrow(/EPERM/);
      await expect(writable.chmod(0o600)).rejects.toMatchObject({ code: "EPERM" });
    } finally {
      await writable.close();
    }
    expect(() => openSync(payload.name, "w")).toThrow(/EPERM/);
    expect(readFileSync(payload.name, "utf8")).toBe("#!/bin/sh\necho original\n");
  });

  test("a payload that rewrites its own file fails at it, and runs again unchanged", async () => {
    await using payload = await open(script('echo "run $1"; echo "#!/bin/false" >"$0"'));
    for (const turn of ["1", "2"]) {
      const { combinedOutput, exitCode } = await run(payload, [turn], { reject: false });
      expect(exitCode).not.toBe(0);
      expect(String(combinedOutput)).toMatch(new RegExp(`^run ${turn}\n.*(cannot create|not permitted)`, "i"));
    }
  });

  test("of a large payload is made beside the event loop", async () => {
    let turns = 0;
    let isOpen = false;
    const turn = (): void => {
      turns += 1;
      if (!isOpen) setImmediate(turn);
    };
    setImmediate(turn);
    await using payload = await open(Buffer.alloc(50_000_000));
    isOpen = true;
    expect(payload.isMemfd).toBe(true);
    expect(turns).toBeGreaterThan(2);
  });

  test("changing the bytes while they are being hashed cannot part the digest from the content", async () => {
    const bytes = Buffer.alloc(32_000_000, "a");
    const opening = open(bytes);
    bytes.fill("b");
    await using payload = await opening;
    expect(payload.digest).toBe(sha256(readFileSync(payload.name)));
  });
});

describe("a temporary file", () => {
  test("is named by its digest, and its owner's alone", async () => {
    const directory = await temporaryDirectory();
    const payload = await efrun.open(script("true"), { tempDirectory: directory });
    expect(payload.isMemfd).toBe(false);
    expect(payload.fallbackReason).toBeUndefined();
    expect(await readdir(directory)).toEqual([basename(payload.name)]);
    expect(basename(payload.name)).toMatch(new RegExp(`^${payload.digest}-[0-9a-f]+$`));
    expect((await stat(payload.name)).mode & 0o777).toBe(0o700);
    await payload.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test("stays until the last run that uses it has ended", async () => {
    const directory = await temporaryDirectory();
    const payload = await efrun.open(script("read line; cat $0"), { tempDirectory: directory });
    const { PassThrough } = await import("node:stream");
    const stdin = new PassThrough();
    const running = await efrun.runBG(payload, [], { stdin });
    await payload.close();
    expect(await readdir(directory)).toHaveLength(1);
    stdin.end("go\n");
    expect(String((await running.wait()).combinedOutput)).toContain("cat $0");
    expect(await readdir(directory)).toEqual([]);
  });

  test("of a payload that is given as bytes is gone after the run", async () => {
    const directory = await temporaryDirectory();
    const { combinedOutput } = await efrun.do("#!/bin/sh\necho $0", [], { tempDirectory: directory });
    expect(String(combinedOutput)).toContain(directory);
    expect(await readdir(directory)).toEqual([]);
  });

  test("a directory that is not there is a clear error", async () => {
    await expect(efrun.open(script("true"), { tempDirectory: "/no/such" })).rejects.toMatchObject({
      code: "ANYPROC_EMRUN_TEMPORARY_FILE",
      message: expect.stringMatching(/^\/no\/such: .*TMPDIR/),
    });
  });
});

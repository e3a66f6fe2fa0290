import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { exec } from "@anyproc/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SshEnvironment } from "../src/index.ts";
import {
  describeOnServer,
  enter,
  rejection,
  type SshServer,
  sshServerKinds,
  startSshServer,
  within,
  withServer,
} from "./server.ts";

let server: SshServer;
let box: SshEnvironment;
beforeAll(async () => {
  server = await startSshServer();
  box = await enter(server);
});
afterAll(async () => {
  await box.close();
  await server.stop();
});

const at = (name: string): string => `${server.home}/${name}`;

describeOnServer("files", () => {
  it("are read and written whole where they are larger than many requests", async () => {
    const data = Buffer.from(Array.from({ length: 7_000_001 }, (_, index) => (index * 7919) >> 3));
    await box.fs.writeFile(at("large"), data);
    expect(fs.readFileSync(at("large")).equals(data)).toBe(true);
    expect((await box.fs.readFile(at("large"))).equals(data)).toBe(true);
    await pipeline(box.fs.createReadStream(at("large")), box.fs.createWriteStream(at("copy"), { mode: 0o600 }));
    expect(fs.readFileSync(at("copy")).equals(data)).toBe(true);
    expect(fs.statSync(at("copy")).mode & 0o777).toBe(0o600);
  });

  it("of /proc are read whole although nobody knows their size", async () => {
    expect((await box.fs.readFile("/proc/self/status")).toString()).toMatch(/^Name:\s+sshd/);
    expect(await text(box.fs.createReadStream("/proc/version"))).toMatch(/^Linux/);
  });

  it.each([
    ["ENOENT", "open", (name: string) => box.fs.readFile(at(`${name}/none`))],
    ["EACCES", "open", () => box.fs.readFile("/etc/shadow")],
    ["EACCES", "mkdir", () => box.fs.mkdir("/forbidden")],
    ["EISDIR", "read", () => box.fs.readFile(server.home)],
    [
      "EEXIST",
      "symlink",
      async (name: string) => {
        await box.fs.symlink("a", at(name));
        await box.fs.symlink("a", at(name));
      },
    ],
    ["EINVAL", "stat", () => box.fs.stat("relative")],
  ])("fail with %s from %s, and the path", async (code, syscall, action) => {
    const error = await rejection(action(`case-${code}`));
    expect(error).toMatchObject({ code, syscall });
    expect(error).toHaveProperty("path");
  });

  it("say that the disk is full", async () => {
    fs.mkdirSync(at("small"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", at("small")]);
    try {
      const error = await rejection(box.fs.writeFile(at("small/file"), Buffer.alloc(2_000_000)));
      expect(error).toMatchObject({ code: "ENOSPC", syscall: "write" });
      const written = pipeline(
        fs.createReadStream("/dev/zero", { end: 3_000_000 }),
        box.fs.createWriteStream(at("small/other")),
      );
      expect(await rejection(written)).toMatchObject({ code: "ENOSPC" });
    } finally {
      execFileSync("umount", [at("small")]);
    }
  });

  it("fail with the connection, and streams with them", async () => {
    const other = await startSshServer();
    const lost = await enter(other);
    const reading = text(lost.fs.createReadStream("/dev/zero"));
    await lost.fs.stat("/");
    other.dropConnections();
    expect(await rejection(reading)).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    expect(await rejection(lost.fs.stat("/"))).toMatchObject({ code: "ANYPROC_CONNECTION_LOST" });
    await lost.close();
    await other.stop();
  });

  it("are there on a server that allows nothing else", async () => {
    await withServer(sshServerKinds.filesOnly, async (filesOnly) => {
      await within(enter(filesOnly), async (other) => {
        await other.fs.writeFile(`${filesOnly.home}/file`, "content");
        expect(await other.fs.readdir(filesOnly.home)).toContain("file");
      });
    });
  });

  it("are not there on a server without SFTP, which is said", async () => {
    await withServer({ config: ["Subsystem sftp /nonexistent"] }, async (without) => {
      await within(enter(without), async (other) => {
        expect(await rejection(other.fs.stat("/"))).toMatchObject({ code: "ANYPROC_SESSION_REFUSED" });
        expect((await exec(other, ["echo", "hello"])).stdout).toBe("hello\n");
      });
    });
  });

  it("give their session back to commands where the server allows one", async () => {
    await withServer(sshServerKinds.oneSession, async (narrow) => {
      await within(enter(narrow), async (other) => {
        for (let round = 0; round < 3; round += 1) {
          expect((await other.fs.stat("/")).isDirectory()).toBe(true);
          expect((await exec(other, ["echo", "hello"])).stdout).toBe("hello\n");
        }
      });
    });
  });
});

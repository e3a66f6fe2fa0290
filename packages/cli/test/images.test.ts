import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { registryMissing, startRegistry } from "../../../tools/services/registry.ts";
import { anyproc } from "./support/anyproc.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";

const missing = registryMissing();
if (missing && process.env["CI"]) throw new Error(missing);
if (missing) console.log(`skipped: ${missing}`);
const { ok: hasProot } = await diagnose();

/** A root filesystem of one static program. */
function makeRootfs(directory: string): string {
  const rootfs = join(directory, "made");
  mkdirSync(join(rootfs, "bin"), { recursive: true });
  mkdirSync(join(rootfs, "etc"));
  const busybox = ["/bin/busybox", "/usr/bin/busybox"].find(existsSync);
  if (busybox) {
    writeFileSync(join(rootfs, "bin/sh"), readFileSync(busybox));
    chmodSync(join(rootfs, "bin/sh"), 0o755);
  }
  writeFileSync(join(rootfs, "etc/motd"), "hello from the image\n");
  return rootfs;
}

function archiveOf(directory: string): string {
  const file = join(directory, "rootfs.tar");
  execFileSync("tar", ["-C", makeRootfs(directory), "-cf", file, "."]);
  return file;
}

describe("anyproc pull", () => {
  test("unpacks an archive, tells so on stderr, and writes the config", async () => {
    const directory = temporaryDirectory();
    const [target, config] = [join(directory, "target"), join(directory, "config.json")];
    const args = ["pull", archiveOf(directory), target, "--config-out", config, "--data-dir", join(directory, "data")];
    const { exitCode, stdout, stderr } = await anyproc(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toMatch(/^.*asking for it\nlayer 1 of 1, [0-9a-f]{12}: .* unpacked\n.*complete, sha256:/);
    expect(readFileSync(join(target, "etc/motd"), "utf8")).toBe("hello from the image\n");
    expect(JSON.parse(readFileSync(config, "utf8"))).toMatchObject({ cmd: [] });
  });

  test("--json gives a document a line, --include a part", async () => {
    const directory = temporaryDirectory();
    const target = join(directory, "target");
    const args = ["pull", "--json", "--include", "etc/*", archiveOf(directory), target];
    const { exitCode, stdout, stderr } = await anyproc([...args, "--data-dir", join(directory, "data")]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const phases = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { readonly phase: string }).phase);
    expect([phases[0], phases.at(-1)]).toEqual(["resolve", "done"]);
    expect(readdirSync(target)).toEqual(["etc"]);
  });

  test.each(["oci:layout:mine", "oci-archive:layout.tar", "docker-archive:saved.tar:team/tool:1"])(
    "copy makes %s of a directory, and a directory of that",
    async (place) => {
      const directory = temporaryDirectory();
      const [kind = "", name = "", ...tag] = place.split(":");
      const target = [kind, join(directory, name), ...tag].join(":");
      const data = ["--data-dir", join(directory, "data")];
      const there = await anyproc(["copy", `dir:${makeRootfs(directory)}`, target, ...data, "--json"]);
      expect(there).toMatchObject({ exitCode: 0, stderr: "" });
      expect(JSON.parse(there.stdout)).toEqual({ target, digest: expect.stringMatching(/^sha256:/) });
      const back = join(directory, "back");
      expect(await anyproc(["copy", target, `dir:${back}`, ...data, "--quiet"])).toEqual({
        exitCode: 0,
        stdout: "",
        stderr: "",
      });
      expect(readFileSync(join(back, "etc/motd"), "utf8")).toBe("hello from the image\n");
    },
  );

  test.each([
    [["pull", "Debian", "/tmp/anyproc-never-made"], /image reference "Debian": names of images are lower case/],
    [["pull", "./no-such-file.tar", "/tmp/anyproc-never-made"], /no-such-file\.tar: there is no such file/],
    [["pull", "debian", "/tmp/x", "--max-bytes", "lots"], /--max-bytes lots: give a whole number/],
    [["pull", "debian", "/tmp/x", "--username", "u"], /--username: there is no password/],
    [["pull", "debian"], /missing required argument 'directory'/],
    [["copy", "dir:x", "oci:"], /begin with what it is/],
    [["copy", "dir:x", "tar:y"], /is not supported: copy from registry:.* to registry:, oci:/],
    [["copy", "debian", "dir:x"], /copy debian: begin with what it is/],
    [["copy", "dir:x", "dir:y"], /is not supported: copy from registry:/],
  ])("%j is refused in one sentence", async (args, message) => {
    const { exitCode, stdout, stderr } = await anyproc(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe.skipIf(missing)("with a registry", () => {
  test("copy brings a directory there and back, with a login", async () => {
    await using server = await startRegistry({ auth: "basic", tls: true });
    const directory = temporaryDirectory();
    const access = ["--username", "alice", "--password-stdin", "--ca", server.caFile as string];
    const data = ["--data-dir", join(directory, "data")];
    const there = ["copy", `dir:${makeRootfs(directory)}`, `registry:${server.host}/team/tool:1`, ...access, ...data];
    expect(await anyproc(there, { input: "s3cret\n" })).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^.*\/team\/tool:1: sha256:[0-9a-f]{64}\n$/),
    });
    const back = join(directory, "back");
    const args = ["copy", `registry:${server.host}/team/tool:1`, `dir:${back}`, ...access, ...data, "--quiet"];
    expect(await anyproc(args, { input: "s3cret\n" })).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(back, "etc/motd"), "utf8")).toBe("hello from the image\n");
  });

  test.skipIf(!hasProot)("run --image on proot takes what the image says, and leaves nothing", async () => {
    await using server = await startRegistry();
    const directory = temporaryDirectory();
    const rootfs = makeRootfs(directory);
    const record = {
      config: {
        env: ["GREETING=from the image"],
        entrypoint: ["/bin/sh", "-c"],
        cmd: ["echo $GREETING"],
        workdir: "/etc",
      },
    };
    const platform = { os: "linux", architecture: "amd64" };
    writeFileSync(
      `${rootfs}.image.json`,
      JSON.stringify({
        reference: "made",
        digest: "",
        config: { platform, ports: [], labels: {}, user: "", ...record.config },
      }),
    );
    const data = ["--data-dir", join(directory, "data")];
    const reference = `${server.host}/made:1`;
    const pushed = await anyproc(["copy", `dir:${rootfs}`, `registry:${reference}`, ...data]);
    expect(pushed.exitCode).toBe(0);
    const run = ["run", "--on", "proot", "--image", reference, ...data];
    expect(await anyproc(run)).toEqual({ exitCode: 0, stdout: "from the image\n", stderr: "" });
    const own = ["-e", "GREETING=mine", "--", "echo $GREETING; pwd; exit 4"];
    expect(await anyproc([...run, ...own])).toEqual({ exitCode: 4, stdout: "mine\n/etc\n", stderr: "" });
    expect(readdirSync(join(directory, "data/run"))).toEqual([]);
  });
});

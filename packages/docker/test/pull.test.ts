import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { exec } from "@anyproc/core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type RegistryServer, registryMissing, startRegistry } from "../../../tools/services/registry.ts";
import { inspectImage } from "../src/images/image.ts";
import { parseReference } from "../src/images/reference.ts";
import { connectDocker, type PullProgress } from "../src/index.ts";
import { connectionTo, type DockerServer, describeOn, enter, rejection, startDockerServer, within } from "./server.ts";

const missing = process.env["CI"] ? undefined : registryMissing();
if (missing) console.warn(`tests against a real registry are skipped: ${missing}`);

describeOn("docker")("an image in a registry", () => {
  describe.skipIf(missing)("that asks for a password", () => {
    let server: DockerServer;
    let registry: RegistryServer;
    let directory: string;
    let reference: string;
    beforeAll(async () => {
      server = await startDockerServer();
      registry = await startRegistry({ auth: "basic" });
      await server.bringIn(Number(registry.host.split(":")[1]));
      directory = await mkdtemp(join(tmpdir(), "anyproc-docker-config-"));
      reference = `${registry.host}/tools/box:1`;
      const docker = (...args: string[]): unknown =>
        execFileSync("docker", ["--config", directory, "--host", server.host, ...args], { stdio: "pipe" });
      const { username = "", password = "" } = registry.login ?? {};
      docker("login", "--username", username, "--password", password, registry.host);
      docker("tag", server.image, reference);
      docker("push", "--quiet", reference);
      docker("image", "rm", reference, server.image);
      await rm(join(directory, "config.json"));
    });
    afterAll(async () => {
      await server?.stop();
      await registry?.stop();
      if (directory) await rm(directory, { recursive: true });
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      if (!server) return;
      await using connection = await connectDocker(connectionTo(server));
      await connection.request(reference, (docker) => docker.getImage(reference).remove()).catch(() => {});
    });

    async function configure(config: object): Promise<void> {
      vi.stubEnv("DOCKER_CONFIG", directory);
      await writeFile(join(directory, "config.json"), JSON.stringify(config));
    }
    const auth = (text: string): object => ({
      auths: { [registry.host]: { auth: Buffer.from(text).toString("base64") } },
    });

    it("is pulled when it is missing, with the credentials of the options, and tells how far it is", async () => {
      await configure({});
      const seen: PullProgress[] = [];
      const options = {
        image: reference,
        pull: "missing" as const,
        onProgress: (event: PullProgress) => void seen.push(event),
      };
      const credentials = registry.login;
      await within(enter(server, { ...options, ...(credentials && { credentials }) }), async (docker) => {
        expect((await exec(docker, ["echo", "pulled"])).stdout).toBe("pulled\n");
        expect(docker.image).toEqual(await inspectImage(docker.connection, reference));
        expect(docker.image.platform).toMatch(/^linux\/\w+$/);
      });
      expect(seen.at(-1)).toEqual({ phase: "done", reference });
      const phases = new Set(seen.map(({ phase }) => phase));
      expect([...phases].sort()).toEqual(["complete", "done", "download", "unpack"]);
      for (const event of seen) if ("bytes" in event) expect(event.totalBytes).toBeGreaterThanOrEqual(event.bytes);
      seen.length = 0;
      await within(enter(server, options), () => Promise.resolve());
      expect(seen).toEqual([]);
    });

    it("is pulled with what docker login wrote, and not with something else", async () => {
      await configure(auth("alice:wrong"));
      const pull = { image: reference, pull: "always" as const };
      expect(await rejection(enter(server, pull))).toMatchObject({ code: "ANYPROC_PULL_FAILED" });
      await configure(auth("alice:s3cret"));
      await within(enter(server, pull), (docker) => exec(docker, ["true"]));
    });

    it("is pulled with what a credential helper gives, and a helper that fails says so", async () => {
      await mkdir(join(directory, "bin"), { recursive: true });
      const helper = join(directory, "bin/docker-credential-test");
      const answer = JSON.stringify({ Username: "alice", Secret: "s3cret" });
      vi.stubEnv("PATH", `${join(directory, "bin")}${delimiter}${process.env["PATH"]}`);
      await configure({ credHelpers: { [registry.host]: "test" } });
      const pull = { image: reference, pull: "always" as const };
      await writeFile(
        helper,
        `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${registry.host}" ] && echo '${answer}'\n`,
      );
      await chmod(helper, 0o755);
      await within(enter(server, pull), (docker) => exec(docker, ["true"]));
      await writeFile(helper, "#!/bin/sh\nexit 3\n");
      expect(await rejection(enter(server, pull))).toMatchObject({ code: "ANYPROC_CREDENTIALS_UNREADABLE" });
      await configure({ credHelpers: { [registry.host]: "absent" } });
      expect((await rejection(enter(server, pull))).message).toContain("docker-credential-absent");
    });

    it("that is nowhere, or that must not be pulled, is not found", async () => {
      await configure(auth("alice:s3cret"));
      const nowhere = enter(server, { image: `${registry.host}/tools/box:2`, pull: "missing" });
      expect(await rejection(nowhere)).toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
      expect(await rejection(enter(server, { image: reference, pull: "never" }))).toMatchObject({
        code: "ANYPROC_IMAGE_NOT_FOUND",
        message: expect.stringContaining("does not have this image"),
      });
    });

    it("is given up on when asked to", async () => {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      expect(await rejection(enter(server, { image: reference, pull: "always", signal }))).toBe(reason);
    });
  });
});

it.each([
  ["debian", { repository: "debian", version: "latest", registry: "docker.io" }],
  ["a/b:1.2", { repository: "a/b", version: "1.2", registry: "docker.io" }],
  ["localhost/x", { repository: "localhost/x", version: "latest", registry: "localhost" }],
  ["r.example:5000/x@sha256:ab", { repository: "r.example:5000/x", version: "sha256:ab", registry: "r.example:5000" }],
  ["f".repeat(64), undefined],
])("%s is read as docker reads it", (text, parts) => {
  expect(parseReference(text)).toEqual(parts);
});

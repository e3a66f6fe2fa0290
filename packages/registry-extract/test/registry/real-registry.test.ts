import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  identityToken,
  type RegistryServer,
  type RegistryServerOptions,
  registryMissing,
  startRegistry,
} from "../../../../tools/services/registry.ts";
import { inspectImage, listTags, pullImage, pushImage, type RegistryOptions } from "../../src/index.ts";
import { makeImage } from "../fixtures/image.ts";
import { makeRootfs } from "../fixtures/rootfs.ts";
import { temporaryDirectory } from "../fixtures/temporary-directory.ts";
import { describeTree, listFiles } from "../fixtures/tree.ts";
import { answer, startTroubledRegistry } from "../fixtures/troubled-registry.ts";

const missing = registryMissing();
if (missing && process.env["CI"]) throw new Error(missing);
if (missing) console.log(`skipped: ${missing}`);

const modes: [string, RegistryServerOptions][] = [
  ["plain http", {}],
  ["basic login", { auth: "basic" }],
  ["bearer tokens", { auth: "token" }],
  ["https, basic login", { auth: "basic", tls: true }],
];

describe.skipIf(missing).each(modes)("docker-registry, %s", (_, serverOptions) => {
  let server: RegistryServer;
  let access: RegistryOptions;
  beforeAll(async () => {
    server = await startRegistry(serverOptions);
    access = {
      ...(server.login && { credentials: server.login }),
      ...(server.caFile !== undefined && { caFiles: [server.caFile] }),
    };
  });
  afterAll(() => server?.stop());

  test("what is pushed is pulled again, the same in every way", async () => {
    const { directory, rootfs } = await makeRootfs();
    const reference = `${server.host}/team/tool:1`;
    const cacheDirectory = join(directory, "cache");
    const config = { cmd: ["tool"], env: ["A=b"], user: "3", workdir: "/etc", ports: ["80/tcp"], labels: { a: "b" } };
    const { digest } = await pushImage(reference, { rootfs, config }, { ...access, cacheDirectory });
    const target = join(directory, "pulled");
    const pulled = await pullImage(reference, target, { ...access, cacheDirectory: join(directory, "other") });
    expect(pulled.image.digest).toBe(digest);
    expect(pulled.image.config).toMatchObject(config);
    expect(describeTree(target)).toEqual(describeTree(rootfs));
    expect(await listTags(reference, access)).toEqual(["1"]);
  });

  test("chunks, a mounted blob, and an index of two platforms", async () => {
    const { directory, rootfs } = await makeRootfs();
    const cacheDirectory = join(directory, "cache");
    const results: string[] = [];
    const options = { ...access, cacheDirectory, onBlob: (_digest: string, result: string) => results.push(result) };
    await pushImage(
      `${server.host}/first/one:chunks`,
      { rootfs, compression: "none" },
      { ...options, chunkBytes: 100_000 },
    );
    const inputs = ["linux/amd64", "linux/arm64"].map((platform) => ({
      rootfs,
      platform,
      compression: "none" as const,
    }));
    await pushImage(`${server.host}/second/two:both`, inputs, { ...options, mountFrom: "first/one" });
    expect(results).toEqual(["uploaded", "uploaded", "mounted", "mounted", "uploaded", "present"]);
    const { platforms } = await inspectImage(`${server.host}/second/two:both`, {
      ...access,
      cacheDirectory,
      platform: "arm64",
    });
    expect(platforms.map(({ architecture }) => architecture)).toEqual(["amd64", "arm64"]);
    const target = join(directory, "pulled");
    await pullImage(`${server.host}/second/two:both`, target, { ...access, cacheDirectory, platform: "linux/arm64" });
    expect(describeTree(target)).toEqual(describeTree(rootfs));
  });

  test("what is not there is told apart from what is not allowed", async () => {
    const cacheDirectory = temporaryDirectory();
    const nowhere = inspectImage(`${server.host}/no/such:image`, { ...access, cacheDirectory, retries: 0 });
    await expect(nowhere).rejects.toMatchObject({ code: "ANYPROC_IMAGE_NOT_FOUND" });
    if (!server.login) return;
    for (const credentials of [undefined, { username: "alice", password: "wrong" }]) {
      const ca = server.caFile === undefined ? {} : { caFiles: [server.caFile] };
      const refused = inspectImage(`${server.host}/no/such:image`, {
        ...ca,
        ...(credentials && { credentials }),
        cacheDirectory,
      });
      await expect(refused).rejects.toMatchObject({
        code: "ANYPROC_REGISTRY_UNAUTHORIZED",
        message: expect.stringMatching(/login|log in/),
      });
      await expect(refused).rejects.not.toThrowError(/wrong/);
    }
  });
});

describe.skipIf(missing)("logins", () => {
  test("a certificate that nobody knows is told, with the remedy, and http is not tried instead", async () => {
    await using server = await startRegistry({ tls: true });
    await expect(inspectImage(`${server.host}/a:b`)).rejects.toMatchObject({
      code: "ANYPROC_REGISTRY_UNREACHABLE",
      message: expect.stringContaining("--ca"),
    });
  });

  test("tokens are got once a scope, again when they have run out, and for an identity token by POST", async () => {
    await using server = await startRegistry({ auth: "token", tokenSeconds: 6 });
    const { directory, rootfs } = await makeRootfs();
    const cacheDirectory = join(directory, "cache");
    const credentials = { identityToken };
    await pushImage(`${server.host}/team/tool:1`, { rootfs }, { credentials, cacheDirectory });
    // Registries take a token for a while longer than it says; a second of ours is over after the first request.
    expect(new Set(server.tokenRequests.map(({ method }) => method))).toEqual(new Set(["POST"]));
    expect(server.tokenRequests.length).toBeGreaterThanOrEqual(1);
    expect(server.tokenRequests[0]?.scopes).toEqual(["repository:team/tool:pull,push"]);
    expect(server.tokenRequests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test("what is public is pulled without a login", async () => {
    await using server = await startRegistry({ auth: "token" });
    const { directory, rootfs } = await makeRootfs();
    const cacheDirectory = join(directory, "cache");
    const credentials = server.login as { readonly username: string; readonly password: string };
    await pushImage(`${server.host}/public/tool:1`, { rootfs }, { credentials, cacheDirectory });
    const before = server.tokenRequests.length;
    const other = join(directory, "other");
    await pullImage(`${server.host}/public/tool:1`, join(directory, "pulled"), { cacheDirectory: other });
    expect(server.tokenRequests.slice(before)).toEqual([
      { method: "GET", authorization: undefined, scopes: ["repository:public/tool:pull"] },
    ]);
  });

  test("a damaged blob of the registry's is refused", async () => {
    await using server = await startRegistry();
    const { directory, rootfs } = await makeRootfs();
    await pushImage(`${server.host}/a:b`, { rootfs }, { cacheDirectory: join(directory, "cache") });
    const cacheDirectory = join(directory, "other");
    const { manifest } = await inspectImage(`${server.host}/a:b`, { cacheDirectory });
    const path = server.blobPath(manifest.layers[0]?.digest as string);
    const wrong = readFileSync(path);
    wrong[wrong.length - 20] = (wrong[wrong.length - 20] as number) ^ 1;
    writeFileSync(path, wrong);
    await expect(pullImage(`${server.host}/a:b`, join(directory, "pulled"), { cacheDirectory })).rejects.toMatchObject({
      code: "ANYPROC_DIGEST_MISMATCH",
    });
  });
});

describe("redirects and mirrors", () => {
  const image = makeImage([[{ path: "a", content: "a" }]]);

  test("the login is for the registry, not for where it redirects to", async () => {
    const seen: (string | undefined)[] = [];
    const storage = createServer((incoming, outgoing) => {
      seen.push(incoming.headers.authorization);
      const { method = "", url = "", headers } = incoming;
      answer(image, { method, path: url, range: headers.range, authorization: undefined }, outgoing);
    });
    await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      storage.closeAllConnections();
      storage.close();
    });
    const address = storage.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const registry = await startTroubledRegistry(image, ({ path, authorization }, response) => {
      if (authorization === undefined) response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else if (path.includes("/blobs/")) response.writeHead(307, { location: `http://127.0.0.1:${port}${path}` }).end();
      else return false;
      return true;
    });
    const directory = temporaryDirectory();
    await pullImage(`${registry.host}/a`, join(directory, "rootfs"), {
      cacheDirectory: join(directory, "cache"),
      credentials: { username: "u", password: "p" },
      plainHttp: true,
    });
    expect(listFiles(join(directory, "rootfs"))).toEqual({ a: "a" });
    expect(seen).toEqual([undefined, undefined]);
    expect(registry.requests.some(({ authorization }) => authorization !== undefined)).toBe(true);
  });

  test("a redirect that never ends is ended", async () => {
    const registry = await startTroubledRegistry(image, ({ path }, response) => {
      response.writeHead(302, { location: path }).end();
      return true;
    });
    const cacheDirectory = temporaryDirectory();
    await expect(inspectImage(`${registry.host}/a`, { cacheDirectory, plainHttp: true })).rejects.toThrowError(
      /again and again/,
    );
  });

  test("mirrors are asked first, and the registry when they cannot help", async () => {
    const broken = await startTroubledRegistry(image, (_, response) => {
      response.writeHead(500).end();
      return true;
    });
    const good = await startTroubledRegistry(image);
    const directory = temporaryDirectory();
    const options = { cacheDirectory: join(directory, "cache"), retries: 0, plainHttp: true };
    const mirrors = { "127.0.0.1:1": [`http://${broken.host}`, `http://${good.host}`] };
    await pullImage("127.0.0.1:1/a", join(directory, "one"), { ...options, mirrors });
    expect(listFiles(join(directory, "one"))).toEqual({ a: "a" });
    const onlyBroken = { [good.host]: [`http://${broken.host}`] };
    await pullImage(`${good.host}/b`, join(directory, "two"), { ...options, mirrors: onlyBroken });
    expect(listFiles(join(directory, "two"))).toEqual({ a: "a" });
  });
});

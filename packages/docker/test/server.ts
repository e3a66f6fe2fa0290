import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Environment } from "@anyproc/core";
import { describe } from "vitest";
import {
  type DockerServer,
  type DockerServerOptions,
  dockerServerMissing,
  startDockerServer,
} from "../../../tools/services/docker.ts";
import {
  connectDocker,
  createDocker,
  type DockerConnectionOptions,
  type DockerEnvironment,
  type DockerOptions,
} from "../src/index.ts";

export type { DockerServer };
export { startDockerServer };

export type Engine = NonNullable<DockerServerOptions["engine"]>;

/** For tests that need a server. */
export function describeOn(engine: Engine): typeof describe {
  const missing = dockerServerMissing(engine);
  if (missing) console.warn(`tests against a real ${engine} are skipped: ${missing}`);
  return missing ? (describe.skip as typeof describe) : describe;
}

/** How to reach a test server, which may take long to answer on a machine that is busy with other tests. */
export function connectionTo(server: DockerServer): DockerConnectionOptions {
  return { host: server.host, timeoutMs: 120_000 };
}

/** The test image on a test server, without a network unless asked. */
export function enter(server: DockerServer, options: DockerOptions = {}): Promise<DockerEnvironment> {
  return createDocker({
    image: server.image,
    pull: "never",
    network: "none",
    connection: connectionTo(server),
    ...options,
  });
}

/** An environment for a while. */
export async function within<E extends Environment, T>(
  entering: Promise<E>,
  use: (environment: E) => Promise<T>,
): Promise<T> {
  const environment = await entering;
  try {
    return await use(environment);
  } finally {
    await environment.close();
  }
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`rejected with ${String(error)}, which is no Error`);
  }
  throw new Error("resolved, although a rejection was expected");
}

/** Resolves once a condition holds; a condition that never does fails the test by its timeout. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Makes an image with one program, for an architecture of its own. */
export async function loadImage(
  server: DockerServer,
  name: string,
  { architecture, program }: { readonly architecture: string; readonly program: Uint8Array },
): Promise<void> {
  const directory = await mkdtemp(join(server.directory, "image-"));
  const tar = (...paths: string[]): Buffer => execFileSync("tar", ["-C", directory, "-cf", "-", ...paths]);
  await writeFile(join(directory, "program"), program, { mode: 0o755 });
  const layer = tar("program");
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const config = { architecture, os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [diffId] } };
  const manifest = [{ Config: "config.json", RepoTags: [name], Layers: ["layer.tar"] }];
  await writeFile(join(directory, "layer.tar"), layer);
  await writeFile(join(directory, "config.json"), JSON.stringify(config));
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
  const archive = Readable.from([tar("manifest.json", "config.json", "layer.tar")]);
  await using connection = await connectDocker(connectionTo(server));
  await text((await connection.request(name, (docker) => docker.loadImage(archive))) as Readable);
}

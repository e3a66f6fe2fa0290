import { spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import { createDocker, type DockerEnvironment, enterContainer } from "@anyproc/docker";
import Dockerode from "dockerode";
import { type DockerServer, startDockerServer } from "../services/docker.ts";
import type { Comparison } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

const streamBytes = 1024 ** 3;
// One after the other, to tell a start from the noise.
const commands = 5;

/** All sides of every comparison, on one daemon. */
interface Setting {
  readonly server: DockerServer;
  readonly environment: DockerEnvironment;
  readonly dockerode: Dockerode;
  /** A container that is running. */
  readonly container: string;
}

/** Containers, against dockerode by itself and the docker command. */
export async function* benchDocker(rounds: number): AsyncGenerator<Comparison> {
  const server = await startDockerServer();
  const environment = await createDocker({ image: server.image, network: "none", connection: { host: server.host } });
  try {
    const keeper = await environment.spawn(["sleep", "infinity"]);
    const dockerode = new Dockerode({ socketPath: server.socket });
    const setting = { server, environment, dockerode, container: keeper.container().id };
    yield* benchExec(setting, rounds);
    yield* benchRun(setting, rounds);
    yield* benchStream(setting, rounds);
  } finally {
    await environment.close();
    await server.stop();
  }
}

async function* benchExec(
  { server, environment, dockerode, container }: Setting,
  rounds: number,
): AsyncGenerator<Comparison> {
  const inside = await enterContainer(container, { connection: environment.connection });
  yield {
    title: "/bin/true in a running container",
    unit: "ms",
    ours: "anyproc",
    times: await interleave(
      {
        anyproc: each(async () => {
          const process = await inside.spawn({ argv: ["/bin/true"], stdin: "null" });
          await process.wait();
        }),
        dockerode: each(async () => {
          const made = await dockerode
            .getContainer(container)
            .exec({ Cmd: ["/bin/true"], AttachStdout: true, AttachStderr: true });
          const stream = await made.start({ hijack: true });
          stream.resume();
          await once(stream, "end");
          await made.inspect();
        }),
        "docker exec": each(() => docker(server, "exec", container, "/bin/true")),
      },
      rounds,
    ),
    targets: [
      { than: "dockerode", atMost: 1.1 },
      { than: "docker exec", timesFaster: 1 },
    ],
  };
  await inside.close();
}

async function* benchRun({ server, environment, dockerode }: Setting, rounds: number): AsyncGenerator<Comparison> {
  const config = { Image: server.image, HostConfig: { NetworkMode: "none", Init: true } };
  yield {
    title: "/bin/true in a new container",
    unit: "ms",
    ours: "anyproc",
    times: await interleave(
      {
        anyproc: each(async () => {
          const process = await environment.spawn({ argv: ["/bin/true"], stdin: "null" });
          await process.wait();
        }),
        dockerode: each(async () => {
          const made = await dockerode.createContainer({ ...config, Entrypoint: ["/bin/true"] });
          const stream = await made.attach({ stream: true, stdout: true, stderr: true });
          stream.resume();
          await made.start();
          await made.wait();
          await made.remove();
        }),
        "docker run": each(() =>
          docker(server, "run", "--rm", "--init", "--network=none", "--entrypoint=/bin/true", server.image),
        ),
      },
      rounds,
    ),
    targets: [
      { than: "dockerode", atMost: 1.05 },
      { than: "docker run", timesFaster: 1 },
    ],
  };
}

async function* benchStream({ server, environment }: Setting, rounds: number): AsyncGenerator<Comparison> {
  const argv = ["head", "-c", String(streamBytes), "/dev/zero"] as const;
  yield {
    title: "1 GiB of stdout of a new container",
    unit: "ms",
    ours: "anyproc",
    times: await interleave(
      {
        anyproc: () =>
          timeMs(async () => {
            const process = await environment.spawn({ argv, stdin: "null" });
            let bytes = 0;
            process.attachStdout(
              new Writable({
                write(chunk: Buffer, _encoding, callback) {
                  bytes += chunk.length;
                  callback();
                },
              }),
            );
            await process.wait();
            if (bytes !== streamBytes) throw new Error(`${bytes} of ${streamBytes} bytes arrived`);
          }),
        // Without a log, as ours.
        "docker run": () =>
          timeMs(() => docker(server, "run", "--rm", "--log-driver=none", "--network=none", server.image, ...argv)),
      },
      rounds,
    ),
    // 0.8 of its throughput.
    targets: [{ than: "docker run", atMost: 1 / 0.8 }],
  };
}

function each(one: () => Promise<void>): Side {
  return async () => {
    const total = await timeMs(async () => {
      for (let index = 0; index < commands; index += 1) await one();
    });
    return total / commands;
  };
}

/** Runs the docker command to its end, and reads what it says through a pipe. */
async function docker(server: DockerServer, ...args: readonly string[]): Promise<void> {
  const child = spawn("docker", ["--host", server.host, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.resume();
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: exited with ${code}`);
}

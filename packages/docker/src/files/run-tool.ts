import { text } from "node:stream/consumers";
import { unsupported } from "@anyproc/core";
import { refusalText, statusOf } from "../connection/daemon-error.ts";
import { dockerError } from "../errors.ts";
import { ProgramStreams } from "../streams/program-streams.ts";
import type { ContainerPlace } from "./archive.ts";
import { codeOf, fileError } from "./file-error.ts";

/**
 * Runs a program in the container, as root, for what the daemon's archives cannot do.
 *
 * @param path what it is about, for the error
 * @throws ANYPROC_CONTAINER_NOT_RUNNING; ANYPROC_UNSUPPORTED without the program; an error as node:fs throws it
 */
export async function runTool(
  place: ContainerPlace,
  argv: readonly [string, ...string[]],
  path: string,
): Promise<void> {
  const [tool] = argv;
  const { exitCode, said } = await run(place, argv);
  if (exitCode === 0) return;
  if (exitCode === 126 || exitCode === 127) {
    throw unsupported(place.container, `${tool} of ${path}`, `there is no usable ${tool}(1) in the container: add one`);
  }
  throw fileError(codeOf(said) ?? "EIO", tool, path, new Error(said.trim()));
}

async function run(
  { connection, container }: ContainerPlace,
  argv: readonly string[],
): Promise<{ readonly exitCode: number; readonly said: string }> {
  try {
    return await connection.request(container, async (docker) => {
      const execution = await docker.getContainer(container).exec({
        Cmd: [...argv],
        User: "0:0",
        Env: ["LC_ALL=C"],
        AttachStdout: true,
        AttachStderr: true,
      });
      const socket = await connection.openDuplex(container, {
        path: `/exec/${execution.id}/start`,
        body: { Detach: false, Tty: false },
      });
      const streams = new ProgramStreams(socket, false);
      streams.stdout.resume();
      const said = streams.stderr ? await text(streams.stderr) : "";
      socket.destroy();
      const { ExitCode } = await execution.inspect();
      return { exitCode: ExitCode ?? 127, said };
    });
  } catch (error) {
    const { cause } = error as Error;
    const said = refusalText(cause);
    if (/executable file not found|no such file or directory/i.test(said)) return { exitCode: 127, said };
    if (statusOf(cause) !== 409) throw error;
    throw dockerError(
      "ANYPROC_CONTAINER_NOT_RUNNING",
      `${container}: only a program inside can do \`${argv[0]}\`, and it does not run: start it`,
      error,
    );
  }
}

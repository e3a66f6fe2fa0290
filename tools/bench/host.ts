import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { createHost } from "@anyproc/host";
import { execa } from "execa";
import type { Comparison } from "./report.ts";
import { interleave, type Side, timeMs } from "./rounds.ts";

type Run = (argv: readonly [string, ...string[]]) => Promise<void>;

const host = createHost();

function count(stream: Readable): { bytes: number } {
  const seen = { bytes: 0 };
  stream.on("data", (chunk: Buffer) => {
    seen.bytes += chunk.length;
  });
  return seen;
}

// Every side starts a program with three pipes and reads what comes out of two, to the end.
const raw: Run = async ([file, ...args]) => {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  count(child.stdout);
  count(child.stderr);
  await once(child, "close");
};

const ours: Run = async (argv) => {
  const process = await host.spawn(argv);
  count(process.stdout);
  count(process.stderr);
  await process.wait();
};

const execas: Run = async ([file, ...args]) => {
  await execa(file, args);
};

const program = ["/bin/true"] as const;

// Many short turns: the least of them is free of what else the machine does.
const shortRounds = 5;

/** Milliseconds a command. */
function oneByOne(run: Run, commands: number): Side {
  return async () => {
    const total = await timeMs(async () => {
      for (let index = 0; index < commands; index += 1) await run(program);
    });
    return total / commands;
  };
}

/** Milliseconds a command, with so many under way at any time. */
function inParallel(run: Run, commands: number, width: number): Side {
  return async () => {
    let left = commands;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await run(program);
      }
    };
    const total = await timeMs(() => Promise.all(Array.from({ length: width }, worker)));
    return total / commands;
  };
}

const stream = { bytes: 1024 ** 3, argv: ["head", "-c", String(1024 ** 3), "/dev/zero"] as const };

function expectAll(seen: { readonly bytes: number }): void {
  if (seen.bytes !== stream.bytes) throw new Error(`${seen.bytes} of ${stream.bytes} bytes arrived`);
}

const rawStream: Side = () =>
  timeMs(async () => {
    const [file, ...args] = stream.argv;
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    const seen = count(child.stdout);
    child.stderr.resume();
    await once(child, "close");
    expectAll(seen);
  });

const ourStream: Side = () =>
  timeMs(async () => {
    const process = await host.spawn(stream.argv);
    const seen = count(process.stdout);
    await process.wait();
    expectAll(seen);
  });

const targets = [
  { than: "child_process", atMost: 1.15 },
  { than: "execa", timesFaster: 1.7 },
];

/** Starting programs on this machine, against Node's own child_process and execa. */
export async function* benchHost(rounds: number): AsyncGenerator<Comparison> {
  const runs = { anyproc: ours, child_process: raw, execa: execas };
  const sides = (make: (run: Run) => Side): Record<string, Side> =>
    Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, make(run)]));
  const common = { unit: "ms", ours: "anyproc" };
  yield {
    ...common,
    title: "start a program and read its pipes, one by one",
    times: await interleave(
      sides((run) => oneByOne(run, 30)),
      shortRounds * rounds,
    ),
    targets,
  };
  yield {
    ...common,
    title: "start a program and read its pipes, 16 in parallel",
    times: await interleave(
      sides((run) => inParallel(run, 64, 16)),
      shortRounds * rounds,
    ),
    targets,
  };
  yield {
    ...common,
    title: "1 GiB through stdout",
    times: await interleave({ anyproc: ourStream, child_process: rawStream }, rounds),
    // 0.9 of its throughput.
    targets: [{ than: "child_process", atMost: 1 / 0.9 }],
  };
}

import type { Readable } from "node:stream";
import { getSystemErrorName } from "node:util";

/** A system call that the engine refused, or does not know. */
export interface RefusedCall {
  /** Its name, such as `mount`; undefined for one that the engine does not know. */
  readonly call: string | undefined;
  readonly number: number;
  /** What the program was told, such as `EPERM`; undefined when the call was passed on to the kernel. */
  readonly error: string | undefined;
  readonly pid: number;
  /** The program's path in the guest. */
  readonly program: string;
}

/** Reads the launcher's `CALL NUMBER ERRNO PID PROGRAM` lines. Resolves when the last guest has ended. */
export function readRefusedCalls(stream: Readable, listener: (call: RefusedCall) => void): Promise<void> {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const call = parseRefusedCall(line);
      if (call) listener(call);
    }
  });
  stream.on("error", () => {});
  return new Promise((resolve) => stream.once("close", resolve));
}

/** Undefined for what is no such line: a program's path may hold a line break. */
export function parseRefusedCall(line: string): RefusedCall | undefined {
  const [, call, number, errno, pid, program] = /^(\w+) (\d+) (\d+) (\d+) (.*)$/.exec(line) ?? [];
  if (call === undefined || program === undefined) return undefined;
  return {
    call: call === "unknown" ? undefined : call,
    number: Number(number),
    error: errno === "0" ? undefined : getSystemErrorName(-Number(errno)),
    pid: Number(pid),
    program,
  };
}

import type { Command, Environment, Exit, Process, SpawnOptions } from "@anyproc/core";
import { forwardSignals } from "./forward-signals.ts";

/** Runs a command on another machine's streams, which ours are joined with. */
export async function runAttached(environment: Environment, command: Command, options: SpawnOptions): Promise<Exit> {
  const running = environment.create(command, options);
  running.attachStdout(process.stdout);
  running.attachStderr(process.stderr);
  const stopForwarding = forwardSignals(running);
  const stopInsisting = endWhenInterruptedAgain(running);
  try {
    await running.start();
    running.attachStdin(process.stdin);
    return await running.wait();
  } finally {
    stopForwarding();
    stopInsisting();
    // An open stdin would keep this process alive after the program has gone.
    process.stdin.destroy();
  }
}

/** A terminal interrupts a program and all that it has started; what is passed on reaches the program alone. */
function endWhenInterruptedAgain(running: Process): () => void {
  let interrupts = 0;
  const count = (): void => {
    interrupts += 1;
    // It fails only for a process that never started, which start() reports.
    if (interrupts > 1) running.close().catch(() => {});
  };
  process.on("SIGINT", count);
  return () => void process.off("SIGINT", count);
}

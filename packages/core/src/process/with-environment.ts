import type { Environment } from "../environment.ts";
import { type ErrorCode, isAnyprocError } from "../errors.ts";
import type { Process } from "./process.ts";

/** The same process, whose environment is closed with it: for an environment that nobody else has. */
export function withEnvironment(process: Process, environment: Environment): Process {
  /** Closes the environment, but for an error that says nothing about the end of the process. */
  function failWith(harmless: ErrorCode): (error: unknown) => Promise<never> {
    return async (error) => {
      if (!isAnyprocError(error, harmless)) await environment.close();
      throw error;
    };
  }
  const close = (): Promise<void> => process.close().finally(() => environment.close());
  const own: Partial<Process> = {
    start: () => process.start().catch(failWith("ANYPROC_ALREADY_RUNNING")),
    wait: async () => {
      const exit = await process.wait().catch(failWith("ANYPROC_NOT_RUNNING"));
      await environment.close();
      return exit;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return new Proxy(process, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

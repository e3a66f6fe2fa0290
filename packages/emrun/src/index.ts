export { addonVariable } from "./addon.ts";
export { currentPolicy, runWithPolicy } from "./ambient-policy.ts";
export type { Background } from "./background.ts";
export { type Capture, captureOutput } from "./capture.ts";
export { type DigestSource, readDigests } from "./digests.ts";
export { type EnvironmentRunnerOptions, inEnvironment } from "./environment-runner.ts";
export { type OpenOptions, open } from "./open.ts";
export { allowAll, checkPolicy, type Policy, PolicyError, type Verdict } from "./policy.ts";
export {
  do,
  doBG,
  type RunIOEOptions,
  type RunIOOptions,
  run,
  runBG,
  runIO,
  runIOBG,
  runIOE,
  runIOEBG,
} from "./run.ts";
export { RunError, type RunResult } from "./run-error.ts";
export type { Runnable } from "./runnable.ts";
export { defineRunner, type PayloadStarter, type RunCommand, type Runner } from "./runner.ts";
export { type ScriptedCall, type ScriptedRun, type ScriptedRunner, scriptedRunner } from "./scripted-runner.ts";
export type { Payload, RunOptions } from "./session.ts";
export { defaultRunner } from "./spawn-runner.ts";

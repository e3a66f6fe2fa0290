export {
  type Argument,
  type Command,
  type CommandInput,
  displayCommand,
  mergeEnv,
  type PtySize,
  programName,
  type StreamPolicy,
  toCommand,
  type UserIds,
} from "./command.ts";
export { copyRootfs } from "./copy-rootfs.ts";
export { defineEnvironment, type EnvironmentDefinition } from "./define-environment.ts";
export type { Capabilities, Environment, FileStats, FileSystem, SpawnOptions } from "./environment.ts";
export { AnyprocError, type ErrorCode, isAnyprocError, systemErrorCode, unsupported } from "./errors.ts";
export { type ExecOptions, type ExecResult, ExitError, exec } from "./exec.ts";
export { type Exit, exitCodeOf, exitCodes } from "./exit.ts";
export type { Bind, Guest, GuestExtension, GuestProgram, GuestSetup, Runner } from "./guest-extension.ts";
export { decodeUtf8, execScript, quoteForShell } from "./posix-shell.ts";
export type { AttachOptions, LinesOptions, Process } from "./process/process.ts";
export type { EndOptions, ProgramExit, RunningProgram, Starter } from "./process/starter.ts";
export {
  createEnvironment,
  createProcess,
  type EnvironmentFactory,
  type NamedProcessOptions,
  type RegisterOptions,
  registerEnvironment,
  registeredEnvironments,
} from "./registry.ts";
export type { Rootfs, RootfsExport, RootfsLoss, RootfsOptions, RootfsReport } from "./rootfs.ts";
export {
  formatRootfsMetadata,
  parseRootfsMetadata,
  type RootfsMetadata,
  type RootfsMetadataEntry,
  rootfsMetadataPath,
} from "./rootfs-metadata.ts";
export { formatRootfsOwner, parseRootfsOwner, type RootfsOwner, rootfsOwnerAttribute } from "./rootfs-owner.ts";
export { type SignalName, signalName, signalNumber } from "./signals.ts";
export { $, parseTemplate, type TemplateTag, type TemplateValue } from "./template.ts";

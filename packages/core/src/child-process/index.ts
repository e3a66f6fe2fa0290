/**
 * Programs on this machine, for environments that start some: the one part of core that does I/O, behind an entry of
 * its own so that `@anyproc/core` itself stays free of it.
 */

export { checkDirectory, isDirectory } from "./check-directory.ts";
export { endTree } from "./end-tree.ts";
export { formatProblem, headerBytes, scriptInterpreter } from "./executable-format.ts";
export { findProgram, isMissingFromPath } from "./find-program.ts";
export type { LocalProgram, LocalPtyProgram } from "./program.ts";
export type { Pty, PtyModule } from "./pty-library.ts";
export { readHeader } from "./read-header.ts";
export { type StartChildOptions, type StartedChild, startChild } from "./start-child.ts";
export { failedProgram, notExecutable, notFound, type StartFailure, startFailure } from "./start-failure.ts";
export { startPty } from "./start-pty.ts";

/**
 * Programs behind a POSIX shell somewhere else: how to learn a program's process id from the shell that becomes it, and
 * how to end everything that it started. For environments whose protocol has neither.
 */

export { CommandHeader, type Header } from "./command-header.ts";
export { endScript } from "./end-script.ts";

/**
 * Programs at the other end of a connection, behind a POSIX shell or a daemon: how to learn a program's process id from
 * the shell that becomes it, how to end everything that it started, how to type at its terminal, and what no execve(2)
 * would take. For environments whose protocol has none of these.
 */

export { argumentsTooLong, checkArgumentsLength } from "./check-arguments-length.ts";
export { CommandHeader, type Header } from "./command-header.ts";
export { endScript } from "./end-script.ts";
export { terminalInput } from "./terminal-input.ts";

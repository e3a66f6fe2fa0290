/**
 * Exit statuses of the command besides the program's own. They repeat core's, so that `--help`, `--version` and a
 * mistyped option need not load it.
 */
export const exitCodes: {
  /** `--timeout` was over. */
  readonly timeout: 124;
  /** anyproc itself failed. */
  readonly internal: 125;
} = { timeout: 124, internal: 125 };

/** What the shell sees: the program's own status, or 124 when its time was over. */
export function exitStatus(exit: { readonly exitCode: number; readonly timedOut: boolean }): number {
  return exit.timedOut ? exitCodes.timeout : exit.exitCode;
}

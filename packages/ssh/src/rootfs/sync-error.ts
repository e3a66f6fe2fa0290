import { AnyprocError, isAnyprocError, systemErrorCode } from "@anyproc/core";

/** What a tool or a file operation says when there is no room. */
const noSpace = /No space left on device|Disk quota exceeded/i;

/** A failure on either side of a sync, as one error with the remedy. */
export function syncFailed(target: string, cause: unknown): Error {
  if (isAnyprocError(cause)) return cause;
  const code = systemErrorCode(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (code === "ENOSPC" || code === "EDQUOT" || noSpace.test(message)) {
    return new AnyprocError(
      "ANYPROC_NO_SPACE",
      `${target}: no space left: what has arrived is kept; make room and run it again, and it goes on from there`,
      { cause },
    );
  }
  return new AnyprocError(
    "ANYPROC_SYNC_FAILED",
    `${target}: ${message}: what has arrived is kept; mend the cause and run it again, and it goes on from there`,
    { cause },
  );
}

/** A remote tool that failed, by what matters most of what it said. */
export function toolFailure(tool: string, exitCode: number, said: string): Error {
  const lines = said.trim().split("\n");
  const line = lines.find((each) => noSpace.test(each)) ?? lines[0];
  return new Error(line || `the remote ${tool} ended with ${exitCode}`);
}

import { type Environment, exec } from "@anyproc/core";

/** What the remote machine has for moving trees. */
export interface RemoteTools {
  /** Undefined where commands may not be run. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly tar: "gnu" | "other" | undefined;
  readonly hasGnuFind: boolean;
}

const nothing: RemoteTools = { uid: undefined, gid: undefined, tar: undefined, hasGnuFind: false };

/** Looks for the tools; a server that runs no commands has none of them. */
export async function findRemoteTools(environment: Environment): Promise<RemoteTools> {
  const script = "id -u; id -g; tar --version 2>&1 | head -n 1; find --version 2>&1 | head -n 1";
  try {
    const { stdout } = await exec(environment, { argv: ["sh", "-c", script], cwd: "/" });
    const [uid, gid, tar = "", find = ""] = stdout.split("\n");
    return {
      uid: Number(uid),
      gid: Number(gid),
      tar: /GNU tar/.test(tar) ? "gnu" : /bsdtar|busybox/i.test(tar) ? "other" : undefined,
      hasGnuFind: /GNU findutils/.test(find),
    };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ANYPROC_START_FAILED" || code === "ANYPROC_SESSION_REFUSED") return nothing;
    throw error;
  }
}

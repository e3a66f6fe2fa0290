import { resolve } from "node:path";
import type { Environment } from "@anyproc/core";
import type { Bind, ProotOptions } from "@anyproc/proot";
import { UsageError } from "../usage-error.ts";
import { loadPackage } from "./load-package.ts";
import type { EnvironmentOptions, Observer } from "./options.ts";
import { accountPreset, systemPreset } from "./proot-presets.ts";

/** A root filesystem directory, by anyproc's own engine. */
export async function prootEnvironment(options: EnvironmentOptions, observer: Observer = {}): Promise<Environment> {
  const { onRefusedCall } = observer;
  const { rootfs, preset } = rootfsOf(options);
  const { createProot, parseBind } = await loadPackage("@anyproc/proot", () => import("@anyproc/proot"));
  return createProot({
    rootfs,
    id: identity(options),
    binds: (options.bind ?? []).map((text) => fromHere(parseBind(text))),
    ...(preset && { defaultBinds: preset(resolve(rootfs)) }),
    ...(options.killOnExit !== undefined && { killOnExit: options.killOnExit }),
    ...(options.strict !== undefined && { strict: options.strict }),
    ...(onRefusedCall && { onRefusedCall }),
  });
}

function rootfsOf(options: EnvironmentOptions): { rootfs: string; preset?: (rootfs: string) => Bind[] } {
  const given = [
    { flag: "--rootfs", rootfs: options.rootfs },
    { flag: "-R", rootfs: options.R, preset: accountPreset },
    { flag: "-S", rootfs: options.S, preset: systemPreset },
  ].filter(({ rootfs }) => rootfs !== undefined);
  const [first, second] = given;
  if (!first?.rootfs) throw new UsageError("proot: no root filesystem: name its directory with --rootfs DIR");
  if (second)
    throw new UsageError(`${first.flag} and ${second.flag} both name the root filesystem: leave one of them out`);
  return { rootfs: first.rootfs, ...(first.preset && { preset: first.preset }) };
}

function identity({ id, rootId, R }: EnvironmentOptions): NonNullable<ProotOptions["id"]> {
  if (id !== undefined && rootId)
    throw new UsageError("--id and --root-id both name the identity: leave one of them out");
  if (id === undefined) return R !== undefined && !rootId ? "host" : "root";
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(id) ?? [];
  if (uid === undefined) throw new UsageError(`--id ${id}: give two numbers, as in --id 1000:1000`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** Host paths on a command line are relative to where it is typed. */
function fromHere(bind: Bind): Bind {
  return { ...bind, host: resolve(bind.host) };
}

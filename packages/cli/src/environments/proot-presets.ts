import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import type { Bind } from "@anyproc/proot";

const network = ["/etc/host.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf"];
const kernel = ["/dev", "/sys", "/proc", "/tmp"];

/** What proot(1) shows of the host with -R: its accounts, network, devices, sockets and the user's home. */
export function accountPreset(rootfs: string): Bind[] {
  const etc = ["hosts.equiv", "mtab", "netgroup", "networks", "passwd", "group", "localtime"].map(
    (name) => `/etc/${name}`,
  );
  return toBinds([...network, ...etc, ...kernel, "/run", "/var/run/dbus/system_bus_socket", homedir(), rootfs]);
}

/** What proot(1) shows of the host with -S: enough to install packages without changing the host's files. */
export function systemPreset(rootfs: string): Bind[] {
  return toBinds([...network, ...kernel, "/run/shm", homedir(), rootfs]);
}

function toBinds(paths: readonly string[]): Bind[] {
  return paths.filter((path) => path !== "/" && !leadsIntoProc(path)).map((host) => ({ host, optional: true }));
}

/** True for /etc/mtab on most systems: a link to what is different for each process must not be resolved by us. */
function leadsIntoProc(path: string): boolean {
  if (path === "/proc") return false;
  try {
    return realpathSync(path).startsWith("/proc/");
  } catch {
    return false;
  }
}

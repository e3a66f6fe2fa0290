import { createEnvironment } from "@anyproc/core";
import { createProot, type ProotOptions } from "@anyproc/proot";
import { expect, test } from "vitest";

test.each([
  [{}, "proot: rootfs is missing: name the directory that becomes the guest's /"],
  [{ rootfs: 1 }, "proot: rootfs cannot be 1: name the directory"],
  [{ rootfs: "/", bind: [] }, "proot: there is no option bind: choose among rootfs, binds, "],
  [{ rootfs: "/", binds: "/a:/b" }, 'proot: binds cannot be "/a:/b": a list of'],
  [{ rootfs: "/", binds: [{ guest: "/b" }] }, 'proot: binds cannot be [{"guest":"/b"}]: a list of'],
  [{ rootfs: "/", defaultBinds: "no" }, 'proot: defaultBinds cannot be "no": give true, false, or'],
  [{ rootfs: "/", cwd: 7 }, "proot: cwd cannot be 7: give the path"],
  [{ rootfs: "/", id: "nobody" }, 'proot: id cannot be "nobody": give "root", "host"'],
  [{ rootfs: "/", id: { uid: -1 } }, 'proot: id cannot be {"uid":-1}: give'],
  [{ rootfs: "/", env: { A: 1 } }, 'proot: env cannot be {"A":1}: give'],
  [{ rootfs: "/", inheritEnv: "PATH" }, 'proot: inheritEnv cannot be "PATH": give'],
  [{ rootfs: "/", killOnExit: "yes" }, 'proot: killOnExit cannot be "yes": give true or false'],
  [{ rootfs: "/", strict: 0 }, "proot: strict cannot be 0: give true or false"],
  [{ rootfs: "/", onRefusedCall: "print" }, 'proot: onRefusedCall cannot be "print": give a function'],
  [{ rootfs: "/", extensions: [{}] }, "proot: extensions cannot be [{}]: give a list of objects that have a name"],
  [{ rootfs: "/", extensions: [{ name: "x", setUp: 1 }] }, "proot: extensions cannot be"],
])("%j is refused with what is wanted", async (options, message) => {
  await expect(createProot(options as unknown as ProotOptions)).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
    message: expect.stringContaining(message),
  });
});

test("options by way of the registry are checked alike", async () => {
  await expect(createEnvironment("proot", { rootfs: "/", cashe: false })).rejects.toMatchObject({
    code: "ANYPROC_INVALID_OPTION",
    message: expect.stringContaining("no option cashe"),
  });
});

test("an option that is undefined is one that is left out", async () => {
  const options = { rootfs: "/no/such", binds: undefined, id: undefined } as unknown as ProotOptions;
  await expect(createProot(options)).rejects.toMatchObject({ code: "ANYPROC_ROOTFS_NOT_FOUND" });
});

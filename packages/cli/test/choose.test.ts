import { expect, test } from "vitest";
import { chooseEnvironment } from "../src/environments/choose.ts";

test.each([
  [{}, "host"],
  [{ on: "proot" }, "proot"],
  [{ rootfs: "/x" }, "proot"],
  [{ R: "/x" }, "proot"],
  [{ S: "/x" }, "proot"],
  [{ bind: ["/x"] }, "proot"],
  [{ killOnExit: false }, "proot"],
  [{ strict: false }, "proot"],
  [{ host: "example.org" }, "ssh"],
  [{ image: "debian" }, "docker"],
  [{ chroot: "/x" }, "host"],
  [{ on: "host", chroot: "/x" }, "host"],
  [{ on: "proot", rootfs: "/x", id: "1:1" }, "proot"],
  [{ on: "proot", image: "debian", bind: ["/x"] }, "proot"],
])("%j runs on %s", (options, environment) => {
  expect(chooseEnvironment(options)).toBe(environment);
});

test.each([
  [{ on: "host", rootfs: "/x" }, "--on host is for host, but --rootfs is for proot"],
  [{ on: "ssh", image: "x" }, "--on ssh is for ssh, but --image is for docker"],
  [{ image: "x", bind: ["/y"] }, "--image is for docker, but --bind is for proot"],
  [{ image: "x", host: "y" }, "--image is for docker, but --host is for ssh"],
  [{ chroot: "/x", bind: ["/y"] }, "--chroot is for host, but --bind is for proot"],
])("%j is a contradiction that names both", (options, message) => {
  expect(() => chooseEnvironment(options)).toThrow(message);
});

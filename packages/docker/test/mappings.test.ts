import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePort, portConfig } from "../src/containers/ports.ts";
import { mountConfig, parseVolume } from "../src/containers/volumes.ts";

describe("ports in docker's words", () => {
  it.each([
    ["80", { container: "80" }],
    ["8080:80", { container: "80", host: "8080" }],
    ["127.0.0.1:8080:80/TCP", { container: "80", host: "8080", hostAddress: "127.0.0.1", protocol: "tcp" }],
    ["[::1]:8000-8002:80-82/udp", { container: "80-82", host: "8000-8002", hostAddress: "::1", protocol: "udp" }],
    ["127.0.0.1::80", { container: "80", hostAddress: "127.0.0.1" }],
  ])("%s is read", (text, mapping) => {
    expect(parsePort(text)).toEqual(mapping);
  });

  it("become bindings, one for each port of a range", () => {
    expect(portConfig(["8000-8001:80-81", { container: 53, protocol: "udp" }, "9000-9009:90"])).toEqual({
      ExposedPorts: { "80/tcp": {}, "81/tcp": {}, "53/udp": {}, "90/tcp": {} },
      PortBindings: {
        "80/tcp": [{ HostIp: "", HostPort: "8000" }],
        "81/tcp": [{ HostIp: "", HostPort: "8001" }],
        "53/udp": [{ HostIp: "", HostPort: "" }],
        "90/tcp": [{ HostIp: "", HostPort: "9000-9009" }],
      },
    });
  });

  it.each(["", "x", "80:", "0", "65536", "9-8", "1-2:3-5", "1:2:3:4", "80/quic", "::80:80"])(
    "%j is refused",
    (text) => {
      expect(() => portConfig([text])).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
    },
  );

  it("keep their numbers, whichever they are", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(port, port, (host, container) => {
        expect(portConfig([`${host}:${container}`]).PortBindings).toEqual({
          [`${container}/tcp`]: [{ HostIp: "", HostPort: String(host) }],
        });
      }),
    );
  });
});

describe("volumes in docker's words", () => {
  it.each([
    ["/a:/b", { source: "/a", target: "/b" }],
    ["/a:/b:ro", { source: "/a", target: "/b", readOnly: true }],
    ["/a:/b:rw", { source: "/a", target: "/b" }],
    ["name:/b", { source: "name", target: "/b" }],
    ["C:\\a:/b", { source: "C:\\a", target: "/b" }],
    ["/b", { target: "/b" }],
  ])("%s is read", (text, mapping) => {
    expect(parseVolume(text)).toEqual(mapping);
  });

  it("become mounts: of a path, of a volume, in memory", () => {
    expect(mountConfig(["/a:/b:ro", "name:/c", "/d"], ["/e", { target: "/f", sizeBytes: 1 }])).toEqual([
      { Type: "bind", Source: "/a", Target: "/b", ReadOnly: true },
      { Type: "volume", Source: "name", Target: "/c", ReadOnly: false },
      { Type: "volume", Target: "/d", ReadOnly: false },
      { Type: "tmpfs", Target: "/e", TmpfsOptions: { Mode: 0o1777 } },
      { Type: "tmpfs", Target: "/f", TmpfsOptions: { Mode: 0o1777, SizeBytes: 1 } },
    ]);
  });

  it.each(["", "a:b", "./a:/b", "/a:/", "/a:/b:rx", "../a:/b"])("%j is refused", (text) => {
    expect(() => mountConfig([text], [])).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
  });
});

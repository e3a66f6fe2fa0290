import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "@anyproc/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { containersWith } from "../src/containers/removal.ts";
import { type DockerServer, describeOn, enter, rejection, startDockerServer, until, within } from "./server.ts";

describeOn("docker")("a new container", () => {
  let server: DockerServer;
  beforeAll(async () => {
    server = await startDockerServer();
  });
  afterAll(() => server?.stop());

  /** Names of the containers that the server has, whatever their state. */
  const present = async (): Promise<string[]> =>
    within(enter(server), async ({ connection }) => {
      const found = await connection.request("all", (docker) => docker.listContainers({ all: true }));
      return found.flatMap(({ Names }) => Names.map((name) => name.slice(1)));
    });

  it("publishes ports, single ones, ranges, udp, on one address and on a free port", async () => {
    const ports = [
      "127.0.0.1:8080:80",
      "9000-9001:90-91",
      { container: 53, host: 5353, protocol: "udp" as const },
      "70",
    ];
    await within(enter(server, { network: "bridge", ports }), async (docker) => {
      const script = 'mkdir /w && echo "served $HOSTNAME" >/w/index.html && exec httpd -f -h /w -p 80';
      const process = await docker.spawn(["sh", "-c", script]);
      const published = await process.container().ports();
      const onIpv4 = published.filter(({ hostAddress }) => !hostAddress.includes(":"));
      expect(onIpv4.filter(({ container }) => container !== 70)).toEqual(
        expect.arrayContaining([
          { container: 80, protocol: "tcp", hostAddress: "127.0.0.1", host: 8080 },
          { container: 90, protocol: "tcp", hostAddress: "0.0.0.0", host: 9000 },
          { container: 91, protocol: "tcp", hostAddress: "0.0.0.0", host: 9001 },
          { container: 53, protocol: "udp", hostAddress: "0.0.0.0", host: 5353 },
        ]),
      );
      expect(onIpv4.find(({ container }) => container === 70)?.host).toBeGreaterThan(1024);
      const fetch = ["curl", "--silent", "--retry", "50", "--retry-connrefused", "--retry-delay", "0"] as const;
      const { stdout } = await server.inNetwork([...fetch, "--retry-max-time", "60", "http://127.0.0.1:8080/"]);
      expect(stdout).toMatch(/^served \w+\n$/);

      const [address] = await process.container().addresses();
      expect(address).toEqual({ network: "bridge", ipv4: expect.stringMatching(/^172\./) });
      expect((await server.inNetwork([...fetch, `http://${address?.ipv4}/`])).stdout).toBe(stdout);
    });
  });

  it("has an address in each of its networks, of both families", async () => {
    await within(enter(server), async ({ connection }) => {
      const config = [{ Subnet: "10.77.0.0/24" }, { Subnet: "fd00:77::/64" }];
      const both = { Name: "both", EnableIPv6: true, IPAM: { Driver: "default", Config: config } };
      await connection.request("both", (docker) => docker.createNetwork(both));
      await connection.request("plain", (docker) => docker.createNetwork({ Name: "plain" }));
      await within(enter(server, { network: ["both", "plain"] }), async (docker) => {
        const process = await docker.spawn(["cat"]);
        expect(await process.container().addresses()).toEqual(
          expect.arrayContaining([
            { network: "both", ipv4: "10.77.0.2", ipv6: "fd00:77::2" },
            { network: "plain", ipv4: expect.stringMatching(/^\d+\.\d+\.\d+\.2$/) },
          ]),
        );
        await process.close();
        expect((await rejection(process.container().addresses())).code).toMatch(
          /^ANYPROC_CONTAINER_NOT_(RUNNING|FOUND)$/,
        );
      });
    });
  });

  it("has neither addresses nor ports before its program is started", async () => {
    await within(enter(server), async (docker) => {
      expect(() => docker.create(["cat"]).container()).toThrow(
        expect.objectContaining({ code: "ANYPROC_NOT_RUNNING" }),
      );
    });
  });

  it("sees paths, volumes and memory where it is told to, read-only where it is told to", async () => {
    const directory = join(server.directory, "shared");
    await mkdir(directory);
    await writeFile(join(directory, "file"), "from here");
    const volumes = [`${directory}:/shared:ro`, { source: "kept", target: "/kept" }, { target: "/fresh" }];
    const tmpfs = ["/memory", { target: "/small", sizeBytes: 1024 * 1024, mode: 0o700 }];
    await within(enter(server, { volumes, tmpfs }), async (docker) => {
      const script = `
        cat /shared/file; echo
        touch /shared/new 2>/dev/null || echo read-only
        echo kept >/kept/file; touch /fresh/x
        awk '$2 ~ "^/(memory|small)$" { print $2, $3 }' /proc/mounts | sort
        stat -c %a /small
        head -c 2M /dev/zero 2>/dev/null >/small/x || echo full`;
      const { stdout } = await exec(docker, ["sh", "-c", script], { reject: false });
      expect(stdout).toBe("from here\nread-only\n/memory tmpfs\n/small tmpfs\n700\nfull\n");
      expect((await exec(docker, ["cat", "/kept/file"])).stdout).toBe("kept\n");
      expect((await exec(docker, ["ls", "/fresh"])).stdout).toBe("");
    });
  });

  it("is limited in memory, and says so when it runs out; in processors; in processes", async () => {
    const limits = { memoryBytes: 64 * 1024 * 1024, cpus: 0.5, processes: 20 };
    await within(enter(server, { limits }), async (docker) => {
      const process = await docker.spawn(["sleep", "infinity"]);
      const { HostConfig } = await docker.connection.request("it", (api) =>
        api.getContainer(process.container().id).inspect(),
      );
      expect(HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, NanoCpus: 5e8, PidsLimit: 20 });
      await process.kill();
      expect(await process.wait()).not.toHaveProperty("outOfMemory");
      // tail(1) keeps the last line, which never ends.
      const eater = await exec(docker, ["sh", "-c", "tail /dev/zero"], { reject: false });
      expect(eater).toMatchObject({ exitCode: 137, signal: "SIGKILL", outOfMemory: true });
      expect((await rejection(exec(docker, ["tail", "/dev/zero"]))).message).toContain("ran out of memory");
    });
    expect(await present()).toEqual([]);
  });

  it("runs with the variables, user, directory, name and labels that were asked for", async () => {
    const options = { env: { A: "1", B: "1" }, user: "alice", cwd: "/home", name: "worker", labels: { team: "x" } };
    await within(enter(server, options), async (docker) => {
      const command = { argv: ["sh", "-c", 'echo "$A $B $(id -un) $(pwd)"; read -r _'] as const, env: { B: "2" } };
      const process = await docker.spawn(command);
      expect(await process.lines()[Symbol.asyncIterator]().next()).toMatchObject({ value: "1 2 alice /home" });
      expect(await present()).toEqual(["worker"]);
      expect(await containersWith(docker.connection, "team=x")).toEqual([process.container().id]);
      expect(await rejection(docker.spawn(["true"]))).toMatchObject({ code: "ANYPROC_CONTAINER_EXISTS" });
      await process.close();
      // The name is free as soon as the end is known.
      for (let run = 0; run < 3; run += 1) await exec(docker, ["true"]);
    });
  });

  it("is removed with its program, and with its environment at the latest", async () => {
    await within(enter(server), async (docker) => {
      await Promise.all([docker.spawn(["sleep", "infinity"]), docker.spawn(["true"]), exec(docker, ["true"])]);
    });
    expect(await present()).toEqual([]);
  });

  it("stays when it is to be kept", async () => {
    await within(enter(server, { autoRemove: false, name: "kept" }), (docker) => exec(docker, ["true"]));
    expect(await present()).toEqual(["kept"]);
    await within(enter(server), ({ connection }) =>
      connection.request("kept", (docker) => docker.getContainer("kept").remove()),
    );
  });

  it("takes its whole tree along, and nobody else's", async () => {
    // Another run of this test may be under way.
    const [ours, theirs] = [`${process.pid}1`, `${process.pid}2`];
    const other = await enter(server);
    const neighbour = await other.spawn(["sleep", theirs]);
    await within(enter(server), async (docker) => {
      const family = await docker.spawn([
        "sh",
        "-c",
        `trap '' TERM; (setsid sleep ${ours} &) ; echo up; sleep ${ours}`,
      ]);
      await until(() => sleepers(ours) === 2);
      await until(() => sleepers(theirs) === 1);
      await family.kill();
      expect(sleepers(ours)).toBe(0);
      expect(sleepers(theirs)).toBe(1);
    });
    expect(neighbour.exitCode).toBeUndefined();
    await other.close();
  });

  it("loses none of fifty at once, nor their output", async () => {
    await within(enter(server), async (docker) => {
      const runs = Array.from({ length: 50 }, (_, index) =>
        exec(docker, ["sh", "-c", 'echo "$1"; exit "$1"', "sh", String(index)], { reject: false }),
      );
      const results = await Promise.all(runs);
      expect(results.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual(
        results.map((_, index) => [`${index}\n`, index]),
      );
    });
    expect(await present()).toEqual([]);
  });

  it("refuses signals that its init keeps to itself; without an init they arrive", async () => {
    await within(enter(server), async (docker) => {
      const process = await docker.spawn(["sleep", "infinity"]);
      expect(await rejection(process.signal("SIGABRT"))).toMatchObject({ code: "ANYPROC_UNSUPPORTED" });
    });
    await within(enter(server, { init: false }), async (docker) => {
      const process = await docker.spawn(["sh", "-c", "trap 'exit 9' ABRT; echo up; while :; do sleep 0.1; done"]);
      await process.lines()[Symbol.asyncIterator]().next();
      await process.signal("SIGABRT");
      expect((await process.wait()).exitCode).toBe(9);
    });
  });

  it("gives 127 and 126 without an init too", async () => {
    await within(enter(server, { init: false }), async (docker) => {
      expect(await exec(docker, ["no-such"], { reject: false })).toMatchObject({
        exitCode: 127,
        stderr: "anyproc: no-such: command not found\n",
      });
      expect(await exec(docker, ["/etc/passwd"], { reject: false })).toMatchObject({ exitCode: 126 });
    });
    expect(await present()).toEqual([]);
  });

  it("knows what its image would run", async () => {
    await within(enter(server), async (docker) => {
      expect(docker.imageCommand()).toEqual([]);
      expect(docker.imageCommand(["a"])).toEqual(["a"]);
    });
  });
});

/** How many processes of this machine sleep that long. */
function sleepers(duration: string): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${duration}\0`;
    } catch {
      return false;
    }
  }).length;
}

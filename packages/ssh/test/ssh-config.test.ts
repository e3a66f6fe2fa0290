import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseDestination, resolveRoute } from "../src/connection/destination.ts";
import { readHostConfig } from "../src/connection/ssh-config.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anyproc-ssh-config-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

describe("ssh configuration", () => {
  it("gives host name, user, port, keys, jump and known hosts of a Host", async () => {
    const file = write(
      "config",
      `Host box
  HostName %h.example.org
  User deploy
  Port 2222
  IdentityFile ~/.ssh/one
  IdentityFile "${directory}/%r-%p"
  ProxyJump jump.example.org
  UserKnownHostsFile ~/.ssh/known_a /etc/known_b
  StrictHostKeyChecking accept-new
Host *
  User nobody
`,
    );
    expect(await readHostConfig([file], "box")).toEqual({
      hostName: "box.example.org",
      user: "deploy",
      port: 2222,
      identityFiles: [join(homedir(), ".ssh/one"), `${directory}/deploy-2222`],
      proxyJump: "jump.example.org",
      knownHostsFiles: [join(homedir(), ".ssh/known_a"), "/etc/known_b"],
      acceptNew: true,
    });
    expect(await readHostConfig([file], "other")).toMatchObject({ user: "nobody" });
  });

  it("takes the first value, and the first file's before the second's", async () => {
    const first = write("first", "Host box\n  Port 1000\n");
    const second = write("second", "Host *\n  Port 2000\n  User second\n");
    expect(await readHostConfig([first, second], "box")).toMatchObject({ port: 1000, user: "second" });
  });

  it("follows Include with wildcards, and stops a circle", async () => {
    mkdirSync(join(directory, "conf.d"));
    write("conf.d/10-box.conf", "Host box\n  Port 1010\n");
    const file = write("config", "Include conf.d/*.conf\nHost *\n  User all\n");
    expect(await readHostConfig([file], "box")).toMatchObject({ port: 1010, user: "all" });
    const circle = write("circle", `Include ${join(directory, "circle")}\n`);
    await expect(readHostConfig([circle], "box")).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
  });

  it.each([
    ["accept-new", true],
    ["no", true],
    ["yes", false],
    ["ask", undefined],
  ])("takes StrictHostKeyChecking %s for acceptNew %s", async (word, expected) => {
    const file = write("config", `StrictHostKeyChecking ${word}\n`);
    expect((await readHostConfig([file], "box")).acceptNew).toBe(expected);
  });

  it("runs nothing for Match exec", async () => {
    const file = write("config", `Match exec "touch ${directory}/ran"\n  Port 1\nHost *\n  Port 2\n`);
    expect(await readHostConfig([file], "box")).toMatchObject({ port: 2 });
    await expect(import("node:fs/promises").then((fs) => fs.access(join(directory, "ran")))).rejects.toThrow();
  });

  it("passes over files that do not exist, and refuses a port that is none", async () => {
    expect(await readHostConfig([join(directory, "none")], "box")).toEqual({ identityFiles: [] });
    const file = write("config", "Host box\n  Port many\n");
    await expect(readHostConfig([file], "box")).rejects.toThrow(/Port many is no port number/);
  });

  it("makes a route out of ProxyJump, each host looked up in turn; options go before the file", async () => {
    const config = write(
      "config",
      "Host box\n  ProxyJump gate,root@inner:2200\nHost gate\n  HostName gate.example.org\n  User guard\n",
    );
    const route = await resolveRoute({ host: "box", user: "me", config });
    expect(route.map(({ user, host, port }) => `${user}@${host}:${port}`)).toEqual([
      "guard@gate.example.org:22",
      "root@inner:2200",
      "me@box:22",
    ]);
    expect(await resolveRoute({ host: "box", config, jump: [] })).toHaveLength(1);
  });

  it("goes to the first host of ProxyJump as that one's own configuration says, and stops a circle", async () => {
    const config = write(
      "config",
      "Host box\n  ProxyJump inner,last\nHost inner\n  ProxyJump gate\nHost gate\n  Port 2222\n",
    );
    const route = await resolveRoute({ host: "box", config });
    expect(route.map(({ host, port }) => `${host}:${port}`)).toEqual(["gate:2222", "inner:22", "last:22", "box:22"]);
    const all = write("all", "Host *\n  ProxyJump gate\n");
    expect((await resolveRoute({ host: "box", config: all })).map(({ host }) => host)).toEqual(["gate", "box"]);
    const circle = write("circle", "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n");
    await expect(resolveRoute({ host: "a", config: circle })).rejects.toThrow(/circle/);
  });

  it("refuses ProxyCommand instead of passing it over, unless it is none or the caller names the way", async () => {
    const config = write("config", "Host box\n  ProxyCommand nc %h %p\nHost near\n  ProxyCommand none\n");
    await expect(resolveRoute({ host: "box", config })).rejects.toMatchObject({ code: "ANYPROC_UNSUPPORTED" });
    expect(await resolveRoute({ host: "box", config, jump: [] })).toHaveLength(1);
    expect(await resolveRoute({ host: "near", config })).toHaveLength(1);
  });
});

describe("parseDestination", () => {
  it.each([
    ["box", { host: "box" }],
    ["me@box", { user: "me", host: "box" }],
    ["me@box:22022", { user: "me", host: "box", port: 22022 }],
    ["[::1]:22", { host: "::1", port: 22 }],
    ["fe80::1", { host: "fe80::1" }],
  ])("reads %s", (text, expected) => {
    expect(parseDestination(text)).toEqual(expected);
  });

  it.each(["", "@", "a:b:", "box:", "box:0", "box:99999", "a b@c:d"])("refuses %j", (text) => {
    expect(() => parseDestination(text)).toThrow(expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" }));
  });
});

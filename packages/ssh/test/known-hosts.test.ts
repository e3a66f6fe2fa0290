import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  coversHost,
  fingerprint,
  judgeHostKey,
  type KnownHost,
  knownKeyTypes,
  parseKnownHosts,
} from "../src/connection/known-hosts.ts";

let directory: string;
const publicKeys: string[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "anyproc-known-hosts-"));
  for (const [name, type] of [
    ["a", "ed25519"],
    ["b", "ed25519"],
    ["c", "ecdsa"],
  ] as const) {
    const file = join(directory, name);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", file]);
    publicKeys.push(readFileSync(`${file}.pub`, "utf8").trim());
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

const line = (hosts: string, index: number): string => `${hosts} ${publicKeys[index]}\n`;
const blob = (index: number): Buffer => Buffer.from(publicKeys[index]?.split(" ")[1] ?? "", "base64");
const judge = (text: string, host: string, index: number, port = 22): string =>
  judgeHostKey(parseKnownHosts(text, "known_hosts"), host, port, blob(index)).kind;

describe("known_hosts", () => {
  it("knows a host by its key", () => {
    expect(judge(line("box", 0), "box", 0)).toBe("known");
    expect(judge(line("box", 0), "Box", 0)).toBe("known");
    expect(judge(line("box", 0), "other", 0)).toBe("unknown");
  });

  it("takes another key for a change, of the same type or not", () => {
    expect(judge(line("box", 0), "box", 1)).toBe("changed");
    expect(judge(line("box", 0), "box", 2)).toBe("changed");
  });

  it("accepts any of several keys", () => {
    const text = line("box", 0) + line("box", 2);
    expect(judge(text, "box", 0)).toBe("known");
    expect(judge(text, "box", 2)).toBe("known");
    expect(judge(text, "box", 1)).toBe("changed");
  });

  it("refuses a revoked key although it is known", () => {
    const text = line("box", 0) + line("@revoked *", 0) + line("box", 1);
    expect(judge(text, "box", 0)).toBe("revoked");
    expect(judge(text, "box", 1)).toBe("known");
  });

  it("does not take a certificate authority's key for a host's", () => {
    const verdict = judgeHostKey(parseKnownHosts(line("@cert-authority *.lan", 0), "f"), "box.lan", 22, blob(0));
    expect(verdict).toMatchObject({ kind: "unknown", authority: { file: "f", line: 1 } });
  });

  it("tells ports apart, and falls back to the host on port 22", () => {
    expect(judge(line("[box]:2222", 0), "box", 0, 2222)).toBe("known");
    expect(judge(line("[box]:2222", 0), "box", 0)).toBe("unknown");
    expect(judge(line("box", 0), "box", 0, 2222)).toBe("known");
    expect(judge(line("box", 0), "box", 1, 2222)).toBe("unknown");
  });

  it("reads names that ssh-keygen hashed, and agrees with it", () => {
    const file = join(directory, "hashed");
    writeFileSync(file, line("box.example.org,10.0.0.1", 0) + line("[box]:2222", 1));
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("box");
    expect(judge(text, "box.example.org", 0)).toBe("known");
    expect(judge(text, "10.0.0.1", 0)).toBe("known");
    expect(judge(text, "10.0.0.2", 0)).toBe("unknown");
    expect(judge(text, "box", 1, 2222)).toBe("known");
  });

  it.each([
    ["*.lan,!bad.lan", "good.lan", true],
    ["*.lan,!bad.lan", "bad.lan", false],
    ["10.0.0.?", "10.0.0.7", true],
    ["10.0.0.?", "10.0.0.77", false],
    ["a.b", "axb", false],
    ["|1|not|hashed", "box", false],
  ])("%s covers %s: %s", (hosts, name, expected) => {
    expect(coversHost(hosts, name)).toBe(expected);
  });

  it("finds what ssh-keygen -F finds", () => {
    const patterns = fc.array(fc.stringMatching(/^!?[a-c*?.]{1,5}$/), { minLength: 1, maxLength: 3 });
    const file = join(directory, "property");
    fc.assert(
      fc.property(patterns, fc.stringMatching(/^[a-c][a-c.]{0,4}$/), (hosts, name) => {
        writeFileSync(file, line(hosts.join(","), 0));
        let found = true;
        try {
          execFileSync("ssh-keygen", ["-F", name, "-f", file], { stdio: "ignore" });
        } catch {
          found = false;
        }
        expect(coversHost(hosts.join(","), name)).toBe(found);
      }),
      { numRuns: 60 },
    );
  });

  it("never fails on what is no entry", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => Array.isArray(parseKnownHosts(text, "f"))));
    expect(parseKnownHosts(`# comment\n\nbox ssh-ed25519 AAAA\nbox\n@odd ${line("box", 0)}`, "f")).toEqual([]);
  });

  it("lists the types that a host is known by", () => {
    const entries: KnownHost[] = parseKnownHosts(line("box", 0) + line("box", 2) + line("@revoked box", 1), "f");
    expect(knownKeyTypes(entries, "box", 22)).toEqual(["ssh-ed25519", "ecdsa-sha2-nistp256"]);
  });

  it("prints fingerprints as ssh-keygen does", () => {
    const printed = execFileSync("ssh-keygen", ["-lf", join(directory, "a.pub")], { encoding: "utf8" });
    expect(printed).toContain(fingerprint(blob(0)));
  });
});

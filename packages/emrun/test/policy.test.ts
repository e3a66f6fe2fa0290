import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  allowAll,
  checkPolicy,
  currentPolicy,
  open,
  type Policy,
  PolicyError,
  readDigests,
  runWithPolicy,
  scriptedRunner,
  type Verdict,
} from "@anyproc/emrun";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { implementations } from "./implementations.ts";
import { script } from "./payloads.ts";

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const [one, two] = [digestOf("one"), digestOf("two")];
const denyAll = allowAll.withPolicy("deny");
const invalidDigest = expect.objectContaining({ code: "ANYPROC_EMRUN_INVALID_DIGEST" });

describe("a policy", () => {
  test("agrees with the last rule for a digest, else with its verdict, whatever the order of derivation", () => {
    const verdicts = fc.constantFrom<Verdict>("allow", "deny");
    const digests = fc.constantFrom(...["a", "b", "c", "d"].map(digestOf));
    const steps = fc.array(
      fc.oneof(
        fc.record({ verdict: verdicts }),
        fc.record({ verdict: verdicts, digests: fc.array(digests, { minLength: 1 }) }),
      ),
    );
    fc.assert(
      fc.property(steps, digests, (list, digest) => {
        const policy = list.reduce<Policy>(
          (derived, step) =>
            "digests" in step ? derived.withRule(step.verdict, step.digests) : derived.withPolicy(step.verdict),
          allowAll,
        );
        const rule = list.findLast((step) => "digests" in step && step.digests.includes(digest));
        const fallback = list.findLast((step) => !("digests" in step));
        expect(policy.verdictOf(digest)).toBe((rule ?? fallback)?.verdict ?? "allow");
      }),
    );
  });

  test("never changes when others are derived from it", () => {
    const base = denyAll.withRule("allow", one);
    base.withRule("deny", one).withRule("allow", two).withPolicy("allow");
    expect(base.verdict).toBe("deny");
    expect(base.verdictOf(one)).toBe("allow");
    expect(base.verdictOf(two)).toBe("deny");
    expect(allowAll.verdictOf(one)).toBe("allow");
    expect(() => Object.assign(base, { verdict: "allow" })).toThrow(TypeError);
  });

  test.each([
    ["hexadecimal text", two],
    ["upper case", two.toUpperCase()],
    ["32 bytes", Buffer.from(two, "hex")],
    ["an ArrayBuffer", new Uint8Array(Buffer.from(two, "hex")).buffer],
    ["a list", [one, null, [Buffer.from(two, "hex")], undefined]],
    ["what has a digest", { digest: two }],
    ["output of sha256sum", `# comment\n\n${one}  first file\r\n${two} *second\n`],
    ["an escaped file name", `\\${two}  new\\nline\n`],
  ])("reads digests from %s", (_what, source) => {
    expect(denyAll.withRule("allow", source).verdictOf(two)).toBe("allow");
  });

  test("reads digests from streams", async () => {
    const sums = `${one}  a\n${two}  b\n`;
    const chunks = Array.from({ length: Math.ceil(sums.length / 7) }, (_, index) =>
      sums.slice(index * 7, index * 7 + 7),
    );
    expect(await readDigests(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))).toEqual([one, two]);
    expect(await readDigests([])).toEqual([]);
    await expect(readDigests(["not a digest"])).rejects.toEqual(invalidDigest);
  });

  test.each([
    ["a short line", one.slice(1)],
    ["a longer digest", `${one}${two}`],
    ["no hexadecimal", `g${one.slice(1)}`],
    ["a bad line among good ones", `${one}\nnonsense\n`],
    ["31 bytes", new Uint8Array(31)],
    ["a number", 7 as unknown as string],
    ["a stream", Readable.from([]) as unknown as string],
  ])("refuses %s, and stays what it was", (_what, source) => {
    expect(() => denyAll.withRule("allow", two, source)).toThrow(invalidDigest);
    const { policy, error } = denyAll.tryWithRule("allow", two, source);
    expect(error).toEqual(invalidDigest);
    expect(policy).toBe(denyAll);
  });

  test("lists are what they hold, whatever somebody has put on all objects", () => {
    Object.defineProperty(Object.prototype, "digest", { value: two, configurable: true });
    try {
      expect(denyAll.withRule("allow", [one]).verdictOf(two)).toBe("deny");
    } finally {
      Reflect.deleteProperty(Object.prototype, "digest");
    }
  });

  test("tryWithRule derives as withRule does", () => {
    const { policy, error } = denyAll.tryWithRule("allow", one);
    expect(error).toBeUndefined();
    expect(policy.verdictOf(one)).toBe("allow");
  });

  test("refuses other verdicts", () => {
    const invalid = expect.objectContaining({ code: "ANYPROC_EMRUN_INVALID_VERDICT" });
    expect(() => allowAll.withPolicy("maybe" as Verdict)).toThrow(invalid);
    expect(() => allowAll.withRule("Allow" as Verdict, one)).toThrow(invalid);
  });

  test("what is no policy lets nothing run", () => {
    const invalid = expect.objectContaining({ code: "ANYPROC_INVALID_OPTION" });
    for (const policy of [null, {}, "allow"] as unknown as Policy[]) {
      expect(() => checkPolicy(policy, one)).toThrow(invalid);
    }
  });

  test("checkPolicy throws what says which digest", () => {
    expect(() => checkPolicy(allowAll, one)).not.toThrow();
    expect(() => checkPolicy(denyAll, one)).toThrow(PolicyError);
    expect(() => checkPolicy(denyAll, one)).toThrow(
      expect.objectContaining({
        code: "ANYPROC_EMRUN_DENIED",
        verdict: "deny",
        digest: one,
        message: expect.stringContaining(`emrun: deny digest ${one}`),
      }),
    );
  });
});

describe.each(implementations)("$name under a policy", ({ functions }) => {
  test("nothing passes for a payload that is allowed but that payload", async () => {
    await using trusted = await functions.open(script("echo trusted"));
    await using other = await functions.open(script("echo other"));
    const policy = denyAll.withRule("allow", trusted);
    for (const key of ["digest", "file"] as const) {
      const value: unknown = Reflect.get(trusted, key);
      expect(Reflect.set(other, key, value)).toBe(false);
      expect(Reflect.defineProperty(other, key, { value })).toBe(false);
    }
    await expect(functions.run(other, [], { policy })).rejects.toBeInstanceOf(PolicyError);
    const disguised = new Proxy(other, {
      get: (target, key) => {
        const value: unknown = Reflect.get(key === "digest" ? trusted : target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const alike: typeof other = Object.create(Object.getPrototypeOf(trusted) as object, {
      digest: { value: trusted.digest },
    });
    for (const impostor of [disguised, alike]) {
      await expect(functions.run(impostor, [], { policy })).rejects.toMatchObject({ code: "ANYPROC_INVALID_OPTION" });
    }
  });

  test("the options count as they are at the call", async () => {
    const options = { policy: denyAll };
    const running = functions.run(script("echo ran"), [], options);
    options.policy = allowAll;
    await expect(running).rejects.toBeInstanceOf(PolicyError);
    const policies = [denyAll, allowAll];
    const unsteady = {
      get policy() {
        return policies.shift() ?? allowAll;
      },
    };
    await expect(functions.run(script("echo ran"), [], unsteady)).rejects.toBeInstanceOf(PolicyError);
  });

  test("every form of run is denied before anything executes", async () => {
    const runner = scriptedRunner([{}]);
    const options = { policy: denyAll, runner };
    const payload = script("echo ran");
    const denied = { code: "ANYPROC_EMRUN_DENIED" };
    for (const run of ["run", "runIO", "runIOE", "runBG", "runIOBG", "runIOEBG"] as const) {
      await expect(functions[run](payload, [], options)).rejects.toMatchObject(denied);
    }
    await expect(functions.do("#!/bin/sh", [], options)).rejects.toMatchObject(denied);
    await expect(functions.doBG("#!/bin/sh", [], options)).rejects.toMatchObject(denied);
    await expect(functions.run(payload, [], { ...options, reject: false })).rejects.toMatchObject(denied);
    expect(runner.calls).toEqual([]);
  });

  test("each run is checked, not the opening", async () => {
    await using payload = await functions.open(script("echo ran"));
    await expect(functions.run(payload, [], { policy: denyAll })).rejects.toBeInstanceOf(PolicyError);
    const policy = denyAll.withRule("allow", payload);
    expect(String((await functions.run(payload, [], { policy })).combinedOutput)).toBe("ran\n");
    await expect(functions.run(payload, [], { policy: policy.withRule("deny", payload) })).rejects.toBeInstanceOf(
      PolicyError,
    );
  });

  test("a policy travels along asynchronous calls, and the innermost counts", async () => {
    expect(currentPolicy()).toBe(allowAll);
    await using payload = await open(script("true"));
    await runWithPolicy(denyAll, async () => {
      await new Promise(setImmediate);
      expect(currentPolicy()).toBe(denyAll);
      await expect(functions.run(payload)).rejects.toBeInstanceOf(PolicyError);
      await runWithPolicy(allowAll, () => functions.run(payload));
      await functions.run(payload, [], { policy: allowAll });
    });
    expect(currentPolicy()).toBe(allowAll);
  });
});

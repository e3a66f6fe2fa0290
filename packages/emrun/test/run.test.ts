import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { devNull } from "node:os";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { available } from "./available.ts";
import { canRunModules, moduleArguments } from "./child-node.ts";
import { hasAddon, implementations } from "./implementations.ts";
import { dynamicExecutable, script } from "./payloads.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const busybox = "/bin/busybox";
const isBusyboxStatic = available(
  existsSync(busybox) && !readFileSync(busybox).includes("/lib64/ld-linux")
    ? undefined
    : `${busybox} is missing, or linked dynamically: apt-get install busybox-static`,
);

function collector(): { stream: PassThrough; read: () => Promise<string> } {
  const stream = new PassThrough();
  return {
    stream,
    read: () => {
      stream.end();
      return text(stream);
    },
  };
}

describe.each(implementations)("$name run", ({ name, functions }) => {
  const isFromMemory = name === "emrun" && hasAddon;

  test("a dynamic executable", async () => {
    const { combinedOutput } = await functions.run(dynamicExecutable(), ["/proc/self/comm"]);
    expect(String(combinedOutput)).toMatch(isFromMemory ? /^3\n$/ : /^[0-9a-f]{15}\n$/);
  });

  test.runIf(isBusyboxStatic)("a static executable, under the name that it is given", async () => {
    const options = { argv0: "busybox" };
    const { combinedOutput } = await functions.run(readFileSync(busybox), ["echo", "static"], options);
    expect(String(combinedOutput)).toBe("static\n");
  });

  test("its own name is the path that it was started by", async () => {
    const { combinedOutput } = await functions.do("#!/bin/sh\necho $0", []);
    expect(String(combinedOutput)).toMatch(
      isFromMemory ? /^\/proc\/self\/fd\/3\n$/ : /^\/\S+\/[0-9a-f]{64}-[0-9a-f]+\n$/,
    );
  });

  test.each([
    ["sh", "#!/bin/sh\necho sh $1 $#"],
    ["python3", "#!/usr/bin/env python3\nimport sys\nprint('python3', sys.argv[1], len(sys.argv) - 1)"],
    ["node", "#!/usr/bin/env node\nconsole.log('node', process.argv[2], process.argv.length - 2)"],
  ])("a script for %s", async (interpreter, text) => {
    const { combinedOutput } = await functions.do(text, ["a b", ""]);
    expect(String(combinedOutput)).toBe(`${interpreter} a b 2\n`);
  });

  test("a script that its interpreter opens late, and more than once", async () => {
    const firstLine = `#!/usr/bin/env -S sh -c 'read line; cat "$0"; cat "$0"'`;
    const stdin = new PassThrough();
    await using running = await functions.doBG(`${firstLine}\n`, [], { stdin });
    stdin.end("now\n");
    expect(String((await running.wait()).combinedOutput)).toBe(`${firstLine}\n`.repeat(2));
  });

  test("NODE_OPTIONS of a Node.js script keep what they held", async () => {
    const options = { env: { NODE_OPTIONS: "--title=emrun-test" } };
    const { combinedOutput } = await functions.do("#!/usr/bin/env node\nconsole.log(process.title)", [], options);
    expect(String(combinedOutput)).toBe("emrun-test\n");
  });

  test.runIf(hasAddon)("output and errors come in the order of writing", async () => {
    const lines = Array.from({ length: 200 }, (_, index) => `echo ${index}${index % 2 ? " >&2" : ""}`);
    const { combinedOutput } = await functions.run(script(lines.join("\n")));
    expect(String(combinedOutput)).toBe(Array.from({ length: 200 }, (_, index) => `${index}\n`).join(""));
  });

  test("stdin is empty unless one is given", async () => {
    expect(String((await functions.run(script("cat; echo end"))).combinedOutput)).toBe("end\n");
    const stdin = Buffer.alloc(300_000, "x");
    expect((await functions.run(script("cat"), [], { stdin })).combinedOutput).toEqual(stdin);
  });

  test("environment and working directory", async () => {
    const cwd = await temporaryDirectory();
    const options = { cwd, env: { GREETING: "hello", HOME: undefined } };
    const { combinedOutput } = await functions.run(
      script('pwd; echo "$GREETING ${HOME-unset} ${PATH:+path}"'),
      [],
      options,
    );
    expect(String(combinedOutput)).toBe(`${cwd}\nhello unset path\n`);
    const bare = await functions.run(script("export"), [], { env: { ONE: "1" }, extendEnv: false });
    expect(String(bare.combinedOutput)).toContain("ONE='1'");
    expect(String(bare.combinedOutput)).not.toContain("PATH='/");
  });

  test("the caller's descriptors are 3 and up, wherever the payload is", async () => {
    const file = await open(devNull, "r");
    const other = await open("/etc/hostname", "r");
    try {
      const options = { descriptors: [file.fd, other.fd] };
      const { combinedOutput } = await functions.run(script("readlink /proc/self/fd/3 /proc/self/fd/4"), [], options);
      expect(String(combinedOutput)).toBe("/dev/null\n/etc/hostname\n");
    } finally {
      await file.close();
      await other.close();
    }
  });

  test("a failure is an error that is also the result", async () => {
    const failing = script("echo out; echo 'last words' >&2; exit 3");
    const error = await functions.run(failing).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ANYPROC_EXIT", exitCode: 3, signal: null, timedOut: false, aborted: false });
    expect(error).toMatchObject({
      message: expect.stringMatching(/^payload [0-9a-f]{12}: exited with 3: last words$/),
    });
    const result = await functions.run(failing, [], { reject: false });
    expect(result).toMatchObject({ exitCode: 3, error: { code: "ANYPROC_EXIT" } });
    expect(String(result.combinedOutput)).toBe("out\nlast words\n");
  });

  test("a death by signal is 128 + N, as in a shell", async () => {
    const result = await functions.run(script("kill -9 $$"), [], { reject: false });
    expect(result).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
  });

  test("runIO gives both streams to one writer, and leaves it open", async () => {
    const output = collector();
    const stdin = Readable.from(["one\n", "two\n"]);
    const result = await functions.runIO(script("cat; echo err >&2"), [], { stdin, stdout: output.stream });
    expect(result).toEqual({
      exitCode: 0,
      signal: null,
      timedOut: false,
      aborted: false,
      combinedOutput: null,
      error: undefined,
    });
    expect(await output.read()).toBe("one\ntwo\nerr\n");
  });

  test("runIOE keeps the streams apart", async () => {
    const output = collector();
    const errors = collector();
    const io = { stdin: Buffer.from("in\n"), stdout: output.stream, stderr: errors.stream };
    await functions.runIOE(script("cat; echo err >&2"), [], io);
    expect(await output.read()).toBe("in\n");
    expect(await errors.read()).toBe("err\n");
  });

  test("output that nobody takes is discarded", async () => {
    expect(await functions.runIOE(script("echo out; echo err >&2"))).toMatchObject({
      exitCode: 0,
      combinedOutput: null,
    });
  });

  test("a stream in the wrong place is refused", async () => {
    const stream = new PassThrough();
    const invalid = { code: "ANYPROC_INVALID_OPTION" };
    await expect(functions.run(script(""), [], { stdout: stream } as object)).rejects.toMatchObject(invalid);
    await expect(functions.runBG(script(""), [], { stderr: stream } as object)).rejects.toMatchObject(invalid);
    await expect(functions.runIO(script(""), [], { stderr: stream } as object)).rejects.toMatchObject(invalid);
    await expect(functions.runIO(script(""), [], { stdout: 1 } as object)).rejects.toMatchObject(invalid);
    await expect(functions.run(script("cat"), [], { stdin: "text" } as object)).rejects.toMatchObject(invalid);
    await expect(functions.do(script("") as unknown as string)).rejects.toMatchObject(invalid);
    await expect(functions.run("#!/bin/sh" as unknown as Uint8Array)).rejects.toMatchObject(invalid);
  });

  test("arguments that cannot be passed are refused before anything runs", async () => {
    const payload = script("echo ran");
    await expect(functions.run(payload, ["a\0b"])).rejects.toMatchObject({ code: "ANYPROC_INVALID_COMMAND" });
    const options = { env: { "A=B": "" } };
    await expect(functions.run(payload, [], options)).rejects.toMatchObject({ code: "ANYPROC_INVALID_COMMAND" });
    const invalid = { code: "ANYPROC_INVALID_OPTION" };
    await expect(functions.run(payload, "text" as never)).rejects.toMatchObject(invalid);
    for (const descriptors of [[-1], [0.5], [100_000]]) {
      await expect(functions.run(payload, [], { descriptors })).rejects.toMatchObject(invalid);
    }
    const long = ["x".repeat(200_000)];
    await expect(functions.run(payload, long)).rejects.toMatchObject({ code: "ANYPROC_ARGUMENTS_TOO_LONG" });
  });

  test("what is changed after the call is for another run", async () => {
    await using payload = await functions.open(script('echo "$1 $VALUE"'));
    const bytes = script('echo "$1 $VALUE"');
    for (const source of [payload, bytes]) {
      const args = ["as it was"];
      const env = { VALUE: "this too" };
      const running = functions.run(source, args, { env });
      args[0] = "changed";
      env.VALUE = "changed";
      expect(String((await running).combinedOutput)).toBe("as it was this too\n");
    }
  });

  test("a missing working directory is told from a missing interpreter", async () => {
    await expect(functions.run(script(""), [], { cwd: "/no/such" })).rejects.toMatchObject({
      code: "ANYPROC_CWD_NOT_FOUND",
    });
  });

  test("a shell's pipe can be opened by name", async () => {
    const { combinedOutput } = await functions.run(script("echo by-name >/dev/stderr"));
    expect(String(combinedOutput)).toBe("by-name\n");
  });

  test.runIf(canRunModules)("standard streams are inherited when asked for", () => {
    const module = `
      import { runIOE } from "@anyproc/emrun${name === "efrun" ? "/efrun" : ""}";
      const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };
      await runIOE(Buffer.from("#!/bin/sh\\ncat; echo err >&2"), [], streams);`;
    const { stdout, stderr } = spawnSync(process.execPath, moduleArguments(module), {
      cwd: new URL("..", import.meta.url),
      input: "in\n",
      encoding: "utf8",
    });
    expect({ stdout, stderr }).toEqual({ stdout: "in\n", stderr: "err\n" });
  });
});

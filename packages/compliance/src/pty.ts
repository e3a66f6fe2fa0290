import { getDefaultHighWaterMark, Writable } from "node:stream";
import type { Command, Process } from "@anyproc/core";
import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { bytesOf, Collector, ending, expectGone, run, sh, untilSignalled, untilText, withProcess } from "./support.ts";

export function ptyTests(suite: Suite): void {
  /** Runs a script on a terminal, when the environment has any. */
  async function onTerminal(
    skip: (condition: boolean, note: string) => void,
    script: string,
    use: (process: Process) => Promise<void>,
    pty: Command["pty"] = true,
  ): Promise<void> {
    skip(!suite.environment.capabilities.pty, "capabilities.pty is false");
    await withProcess(suite, { argv: suite.script(script), pty }, use);
  }

  describe("a terminal", () => {
    test("is there only for commands that ask for it", async () => {
      const { stdout } = await sh(suite, "for fd in 0 1 2; do [ -t $fd ] && echo terminal || echo none; done");
      expect(stdout).toBe("none\nnone\nnone\n");
    });

    test("is all three standard streams", ({ skip }) =>
      onTerminal(skip, "for fd in 0 1 2; do [ -t $fd ] && echo terminal || echo none; done", async (process) => {
        const output = bytesOf(process.stdout);
        await process.start();
        expect((await output).toString()).toBe("terminal\r\nterminal\r\nterminal\r\n");
      }));

    test("has the size that was asked for", ({ skip }) =>
      onTerminal(
        skip,
        "stty size",
        async (process) => {
          const output = bytesOf(process.stdout);
          await process.start();
          expect((await output).toString().trim()).toBe("33 101");
        },
        { columns: 101, rows: 33 },
      ));

    test("is 80 by 24 unless told otherwise", ({ skip }) =>
      onTerminal(skip, "stty size", async (process) => {
        const output = bytesOf(process.stdout);
        await process.start();
        expect((await output).toString().trim()).toBe("24 80");
      }));

    test("takes a new size, and the program hears of it", ({ skip }) =>
      onTerminal(skip, `trap 'stty size' WINCH; echo ready; ${untilSignalled}`, async (process) => {
        const output = process.stdout;
        await process.start();
        await untilText(output, "ready");
        const seen = untilText(output, "40 120");
        process.resize({ columns: 120, rows: 40 });
        await seen;
      }));

    test("carries stdout and stderr as one stream, in order", ({ skip }) =>
      onTerminal(skip, "echo one; echo two >&2; echo three", async (process) => {
        const output = bytesOf(process.stdout);
        const errors = bytesOf(process.stderr);
        await process.start();
        expect((await output).toString()).toBe("one\r\ntwo\r\nthree\r\n");
        expect((await errors).toString()).toBe("");
      }));

    test("echoes what is typed, and hands it to the program", ({ skip }) =>
      onTerminal(skip, 'echo ready; read -r line; echo "got $line"', async (process) => {
        const output = process.stdout;
        await process.start();
        await untilText(output, "ready");
        const seen = untilText(output, "got typed");
        process.stdin.write("typed\n");
        expect(await seen).toContain("typed\r\n");
      }));

    test("turns Ctrl-C into SIGINT", ({ skip }) =>
      onTerminal(skip, "echo ready; exec sleep 3600", async (process) => {
        const reading = untilText(process.stdout, "ready");
        await process.start();
        await reading;
        process.stdin.write("\x03");
        expect(ending(await process.wait())).toEqual({ code: null, signal: "SIGINT", exitCode: 130 });
      }));

    test("turns the end of stdin into an end of file", ({ skip }) =>
      onTerminal(skip, "echo ready; cat; echo over; exit 4", async (process) => {
        const output = new Collector();
        process.attachStdout(output);
        const reading = untilText(process.stdout, "ready");
        await process.start();
        await reading;
        process.stdin.end();
        expect((await process.wait()).exitCode).toBe(4);
        expect(output.text).toContain("over");
      }));

    test("is at its end of file at once where stdin is null", async ({ skip }) => {
      skip(!suite.environment.capabilities.pty, "capabilities.pty is false");
      const result = await run(suite, { argv: suite.script("cat; echo over"), pty: true });
      expect(result.stdout).toContain("over");
    });

    test("keeps exit codes and signals", async ({ skip }) => {
      skip(!suite.environment.capabilities.pty, "capabilities.pty is false");
      const code = await run(suite, { argv: suite.script("exit 77"), pty: true });
      expect(code).toMatchObject({ exitCode: 77, signal: null });
      const signal = await run(suite, { argv: suite.script("kill -s TERM $$"), pty: true });
      expect(signal).toMatchObject({ exitCode: 143, signal: "SIGTERM" });
    });

    test("keeps 127 and 126 for commands that cannot run", async ({ skip }) => {
      skip(!suite.environment.capabilities.pty, "capabilities.pty is false");
      const missing = await run(suite, { argv: ["anyproc-no-such-command"], pty: true });
      expect(missing).toMatchObject({ exitCode: 127 });
      expect(missing.stdout).toContain("anyproc-no-such-command");
      expect(await run(suite, { argv: ["/"], pty: true })).toMatchObject({ exitCode: 126 });
    });

    test("names itself in TERM", ({ skip }) =>
      onTerminal(skip, 'printf %s "$TERM"', async (process) => {
        const output = bytesOf(process.stdout);
        await process.start();
        expect((await output).toString()).not.toBe("");
      }));

    test("gives a reader that is behind every byte, even long after the program's end", async ({ skip }) => {
      // More than a stream holds before it asks for a pause, and less than that and a terminal's own buffer.
      const size = getDefaultHighWaterMark(false) + 2000;
      const script = `echo pid $$; head -c ${size} /dev/zero | tr '\\0' x; exit 7`;
      await onTerminal(skip, script, async (process) => {
        const chunks: Buffer[] = [];
        // Terminal libraries give a reader some time after the end, so a second has to pass.
        const afterTheEnd = async (pid: string): Promise<void> => {
          await expectGone(suite, pid);
          await run(suite, ["sleep", "1"]);
        };
        const behind = new Writable({
          highWaterMark: 1,
          write(chunk: Buffer, _encoding, callback): void {
            chunks.push(chunk);
            const pid = /pid (\d+)\r\n/.exec(String(chunk))?.[1];
            if (pid === undefined) callback();
            else void afterTheEnd(pid).then(() => callback(), callback);
          },
        });
        process.attachStdout(behind);
        await process.start();
        expect((await process.wait()).exitCode).toBe(7);
        const output = Buffer.concat(chunks).toString();
        expect(output.length - output.indexOf("x")).toBe(size);
      });
    });

    test("gives a slow reader every byte", ({ skip }) =>
      onTerminal(skip, "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo $i; done; exit 7", async (process) => {
        const chunks: Buffer[] = [];
        const slow = new Writable({
          highWaterMark: 1,
          write(chunk: Buffer, _encoding, callback): void {
            chunks.push(chunk);
            setImmediate(callback);
          },
        });
        process.attachStdout(slow);
        await process.start();
        expect((await process.wait()).exitCode).toBe(7);
        const expected = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\r\n`).join("");
        expect(Buffer.concat(chunks).toString()).toBe(expected);
      }));
  });
}

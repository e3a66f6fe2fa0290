import { describe, expect, test } from "vitest";
import type { Suite } from "./subject.ts";
import { withProcess } from "./support.ts";

export function linesTests(suite: Suite): void {
  async function linesOf(script: string, from: "stdout" | "stderr" = "stdout"): Promise<string[]> {
    return withProcess(suite, suite.script(script), async (process) => {
      const lines: string[] = [];
      await process.start();
      for await (const line of process.lines({ from })) lines.push(line);
      return lines;
    });
  }

  describe("lines()", () => {
    test("splits at newlines, with or without a carriage return", async () => {
      expect(await linesOf("printf 'one\\ntwo\\r\\n\\nfour\\n'")).toEqual(["one", "two", "", "four"]);
    });

    test("gives the last line without a newline too", async () => {
      expect(await linesOf("printf 'one\\ntwo'")).toEqual(["one", "two"]);
    });

    test("gives nothing for no output", async () => {
      expect(await linesOf(":")).toEqual([]);
    });

    test("reads stderr when asked to", async () => {
      expect(await linesOf("echo out; echo err >&2", "stderr")).toEqual(["err"]);
    });

    test("puts characters together that arrive in pieces", () =>
      withProcess(
        suite,
        suite.script("printf '\\342'; read -r _; printf '\\202'; read -r _; printf '\\254\\n'"),
        async (process) => {
          const lines = process.lines()[Symbol.asyncIterator]();
          await process.start();
          process.stdin.end("go on\ngo on\n");
          expect(await lines.next()).toEqual({ done: false, value: "€" });
        },
      ));

    test("may be left early, and the program goes on", () =>
      withProcess(suite, suite.script("echo ready; read -r _; echo more; exit 5"), async (process) => {
        await process.start();
        for await (const line of process.lines()) {
          expect(line).toBe("ready");
          break;
        }
        process.stdin.end("go on\n");
        expect((await process.wait()).exitCode).toBe(5);
      }));

    test("begins when it is called, not when it is first read", () =>
      withProcess(suite, suite.script("echo first; read -r _; echo second"), async (process) => {
        const lines = process.lines();
        const other = process.lines()[Symbol.asyncIterator]();
        await process.start();
        expect(await other.next()).toEqual({ done: false, value: "first" });
        process.stdin.end("go on\n");
        const seen: string[] = [];
        for await (const line of lines) seen.push(line);
        expect(seen).toEqual(["first", "second"]);
      }));
  });
}

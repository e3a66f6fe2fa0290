import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { describeOnServer, destination, withServer } from "./server.ts";

describeOnServer("the README's example", () => {
  it("does what it says", async () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    await withServer({}, async (server) => {
      const source = `${server.directory}/site`;
      mkdirSync(source);
      writeFileSync(`${source}/index.html`, "hello");
      const program = example
        .replace('{ host: "box.example.org", user: "deploy" }', JSON.stringify(destination(server)))
        .replace("/srv/site", `${server.home}/site`)
        .replace("./site", source);
      const file = new URL(`example-${process.pid}.ts`, import.meta.url);
      writeFileSync(file, program);
      const log = vi.spyOn(console, "log").mockImplementation(() => {});
      try {
        await import(/* @vite-ignore */ file.pathname);
        expect(log.mock.calls).toEqual([["Linux\nsh ran there\n"], ["1 files sent, 0 unchanged"]]);
        expect(readFileSync(`${server.home}/site/index.html`, "utf8")).toBe("hello");
      } finally {
        log.mockRestore();
        rmSync(file);
      }
    });
  });
});

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { describeOn, startDockerServer } from "./server.ts";

describeOn("docker")("the README's example", () => {
  it("does what it says", async () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const server = await startDockerServer();
    const file = new URL(`example-${process.pid}.ts`, import.meta.url);
    writeFileSync(file, example.replace("debian:12", server.image));
    vi.stubEnv("DOCKER_HOST", server.host);
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      await import(/* @vite-ignore */ file.pathname);
      expect(log.mock.calls).toEqual([["5"], ["docker-init"]]);
    } finally {
      log.mockRestore();
      vi.unstubAllEnvs();
      rmSync(file);
      await server.stop();
    }
  });
});

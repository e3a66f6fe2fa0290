import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { terminalInput } from "../../src/remote-shell/index.ts";

async function typed(...lines: readonly string[]): Promise<string> {
  const connection = new PassThrough();
  const input = terminalInput(connection);
  for (const line of lines) input.write(line);
  await new Promise<void>((resolve) => input.end(resolve));
  connection.end();
  return (await buffer(connection)).toString("latin1");
}

describe("terminalInput", () => {
  it("types the end of file once at the start of a line", async () => {
    expect(await typed()).toBe("\x04");
    expect(await typed("ls\n")).toBe("ls\n\x04");
  });

  it("types it twice within a line, whose text the first one hands over", async () => {
    expect(await typed("ls\n", "exi")).toBe("ls\nexi\x04\x04");
  });

  it("leaves the connection open", async () => {
    const connection = new PassThrough();
    const input = terminalInput(connection);
    await new Promise<void>((resolve) => input.end(resolve));
    expect(connection.writableEnded).toBe(false);
  });

  it("goes when the connection does", async () => {
    const connection = new PassThrough();
    const input = terminalInput(connection);
    const closed = new Promise((resolve) => input.once("close", resolve));
    connection.destroy();
    await closed;
    expect(input.destroyed).toBe(true);
  });
});

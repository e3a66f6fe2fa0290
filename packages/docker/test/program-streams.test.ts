import { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { CommandHeader } from "@anyproc/core/remote-shell";
import { expect, test } from "vitest";
import { ProgramStreams } from "../src/streams/program-streams.ts";

const mebibyte = 1024 * 1024;

function frame(stream: 1 | 2, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

test("the header is found behind more output than anybody holds", async () => {
  const output = Buffer.alloc(mebibyte, "x");
  const header = new CommandHeader();
  const frames = [frame(1, output), frame(2, Buffer.from(`\x1e${header.key} 42\nan error`))];
  const connection = new Duplex({
    read() {
      this.push(frames.shift() ?? null);
    },
  });
  const streams = new ProgramStreams(connection, false, header);
  expect(await header.found).toEqual({ kind: "started", pid: 42 });
  const { stdout, stderr } = streams;
  expect((await buffer(stdout)).equals(output)).toBe(true);
  expect(String(stderr && (await buffer(stderr)))).toBe("an error");
  expect(await streams.ended).toBe("whole");
});

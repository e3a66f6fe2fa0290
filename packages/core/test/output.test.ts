import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import { Output } from "../src/process/output.ts";

const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(10_000, index));
const all = Buffer.concat(chunks);

function collector(options: { readonly delay?: boolean; readonly failAfter?: number } = {}) {
  const received: Buffer[] = [];
  const writable = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, callback): void {
      received.push(chunk);
      if (received.length === options.failAfter) callback(new Error("sink failed"));
      else if (options.delay) setImmediate(callback);
      else callback();
    },
  });
  writable.on("error", () => {});
  return { writable, bytes: () => Buffer.concat(received) };
}

describe("Output", () => {
  test("every reader gets every byte, whatever its pace", async () => {
    const output = new Output();
    const fast = collector();
    const slow = collector({ delay: true });
    output.attach(fast.writable);
    output.attach(slow.writable);
    const fork = buffer(output.fork());
    output.connect(Readable.from(chunks));
    await output.delivered;
    expect(fast.bytes()).toEqual(all);
    expect(slow.bytes()).toEqual(all);
    expect(await fork).toEqual(all);
  });

  test("a sink that fails is dropped, the others lose nothing", async () => {
    const output = new Output();
    const failing = collector({ failAfter: 3 });
    const good = collector({ delay: true });
    output.attach(failing.writable);
    output.attach(good.writable);
    output.connect(Readable.from(chunks));
    await output.delivered;
    expect(good.bytes()).toEqual(all);
    expect(failing.bytes().length).toBe(30_000);
  });

  test("delivered waits for the last write of a slow sink", async () => {
    const output = new Output();
    let release: (() => void) | undefined;
    const sink = new Writable({
      write: (_chunk, _encoding, callback) => {
        release = callback;
      },
    });
    output.attach(sink);
    const source = new PassThrough();
    output.connect(source);
    source.end("x");
    await once(source, "end");
    let isDelivered = false;
    void output.delivered.then(() => (isDelivered = true));
    await new Promise(setImmediate);
    expect(isDelivered).toBe(false);
    release?.();
    await output.delivered;
  });

  test("a sink that never drains holds the source back", async () => {
    const output = new Output();
    output.attach(new Writable({ highWaterMark: 1, write: () => {} }));
    let produced = 0;
    const source = new Readable({
      highWaterMark: 1,
      read(): void {
        produced += 1;
        this.push(Buffer.alloc(1000));
      },
    });
    output.connect(source);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(produced).toBeLessThan(5);
  });

  test("nobody reading: output waits, until it is said that nobody will", async () => {
    const output = new Output();
    const source = Readable.from(chunks);
    output.connect(source);
    await new Promise(setImmediate);
    expect(source.readableFlowing).toBe(null);
    output.discardUnread();
    await output.delivered;
  });

  test("the last reader's leaving closes the source; an earlier one's does not", async () => {
    const output = new Output();
    const source = new PassThrough();
    output.connect(source);
    const first = output.fork();
    const second = output.fork();
    first.destroy();
    expect(source.destroyed).toBe(false);
    second.destroy();
    await once(second, "close");
    expect(source.destroyed).toBe(true);
    await output.delivered;
  });

  test("a late reader gets what comes from then on", async () => {
    const output = new Output();
    const source = new PassThrough();
    output.connect(source);
    const early = output.fork();
    source.write("one");
    await once(early, "readable");
    const late = buffer(output.fork());
    source.end("two");
    expect(String(await late)).toBe("two");
    expect(String(await buffer(early))).toBe("onetwo");
  });

  describe("cut off when silent", () => {
    test("a slow reader is not taken for silence", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        const output = new Output();
        const received: Buffer[] = [];
        let take: (() => void) | undefined;
        output.attach(
          new Writable({
            highWaterMark: 1,
            write(chunk: Buffer, _encoding, callback): void {
              received.push(chunk);
              take = callback;
            },
          }),
        );
        const source = Readable.from(chunks);
        output.connect(source);
        output.cutOffWhenSilent(100);
        for (let count = 1; count <= chunks.length; count += 1) {
          while (received.length < count) await new Promise(setImmediate);
          vi.advanceTimersByTime(1000);
          take?.();
        }
        await output.delivered;
        expect(Buffer.concat(received)).toEqual(all);
      } finally {
        vi.useRealTimers();
      }
    });

    test("output that nobody reads yet stays for its reader", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        const output = new Output();
        output.connect(Readable.from(chunks));
        output.cutOffWhenSilent(100);
        vi.advanceTimersByTime(1000);
        expect(await buffer(output.fork())).toEqual(all);
      } finally {
        vi.useRealTimers();
      }
    });

    test.skipIf(process.platform === "win32")(
      "what arrived while this process was kept from running is no silence",
      async () => {
        const directory = await mkdtemp(join(tmpdir(), "anyproc-output-"));
        const file = join(directory, "written");
        const child = spawn("sh", ["-c", 'read -r _; echo late; : >"$1"; read -r _', "sh", file]);
        const output = new Output();
        const fork = buffer(output.fork());
        output.connect(child.stdout);
        output.cutOffWhenSilent(1);
        child.stdin.write("go on\n");
        execFileSync("sh", ["-c", 'until [ -e "$1" ]; do :; done', "sh", file]);
        child.stdin.end();
        expect(String(await fork)).toBe("late\n");
        await rm(directory, { recursive: true });
      },
    );

    test("a source that never falls silent is closed all the same", async () => {
      const output = new Output();
      output.fork().resume();
      output.connect(
        new Readable({
          read: function () {
            setImmediate(() => this.push("on and on"));
          },
        }),
      );
      output.cutOffWhenSilent(2 ** 30);
      await output.delivered;
    });
  });

  test("a sink without a limit of listeners keeps none", async () => {
    const output = new Output();
    const sink = new PassThrough().setMaxListeners(0);
    output.attach(sink);
    expect(sink.getMaxListeners()).toBe(0);
  });

  test("sinks are left with no listener of ours, and ended only when asked", async () => {
    const output = new Output();
    const kept = new PassThrough();
    const ended = new PassThrough();
    const before = ["error", "close"].map((event) => kept.listenerCount(event));
    output.attach(kept);
    output.attach(ended, { end: true });
    kept.resume();
    ended.resume();
    output.connect(Readable.from(chunks));
    await output.delivered;
    expect(["error", "close"].map((event) => kept.listenerCount(event))).toEqual(before);
    expect(kept.getMaxListeners()).toBe(new PassThrough().getMaxListeners());
    expect(kept.writableEnded).toBe(false);
    expect(ended.writableEnded).toBe(true);
  });
});

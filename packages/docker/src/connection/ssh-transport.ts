import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { quoteForShell } from "@anyproc/core";
import type { Endpoint } from "./endpoint.ts";

// Enough of what ssh says for a message.
const keptWords = 2048;

/**
 * One connection to a daemon behind SSH, as docker(1) makes it: `docker system dial-stdio` over there. ssh(1) itself
 * is used, so that its configuration, known hosts and agent count.
 */
export class SshSocket extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;
  #words = "";

  constructor({ host, port, user, path }: Extract<Endpoint, { kind: "ssh" }>) {
    super();
    const args = [
      ...["-o", "ConnectTimeout=30", "-o", "BatchMode=yes", "-T"],
      ...(user === undefined ? [] : ["-l", user]),
      ...(port === undefined ? [] : ["-p", String(port)]),
      ...["--", host, "docker"],
      // ssh(1) joins these into a line for the shell over there.
      ...(path === undefined ? [] : ["--host", quoteForShell(`unix://${path}`)]),
      ...["system", "dial-stdio"],
    ];
    this.#child = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#child;
    stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stdout.pause();
    });
    stderr.on("data", (chunk: Buffer) => {
      this.#words = (this.#words + chunk).slice(-keptWords);
    });
    // A failed write means that ssh has ended, which "close" tells better.
    stdin.on("error", () => {});
    this.#child.once("error", (error) => this.destroy(sshFailure(error.message)));
    // Only now it is clear whether the connection ended or broke.
    this.#child.once("close", (code) => {
      if (code === 0) this.push(null);
      else this.destroy(sshFailure(this.#words.trim() || `it ended with ${code}`));
    });
  }

  // node:http asks these of every socket; a pipe has nothing to set.
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, () => callback());
  }

  override _final(callback: () => void): void {
    this.#child.stdin.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#child.kill();
    callback(error);
  }
}

function sshFailure(words: string): Error {
  return Object.assign(new Error(`ssh: ${words}`), { code: "SSH_FAILED" });
}

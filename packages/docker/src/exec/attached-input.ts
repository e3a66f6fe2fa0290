import { type Duplex, Writable } from "node:stream";
import { terminalInput } from "@anyproc/core/remote-shell";

/** How the input of an attached program is opened, and whether that program has been let go of. */
export interface AttachedInputOptions {
  readonly open: () => Promise<Duplex>;
  readonly hasTerminal: boolean;
  readonly isLetGo: () => boolean;
}

/**
 * The input of a program that somebody else started. Its end would be that program's end of file, and so would the end
 * of any connection that carries input: there is one only when somebody writes, and letting go sends nothing.
 */
export function attachedInput({ open, hasTerminal, isLetGo }: AttachedInputOptions): Writable {
  let opening: Promise<Writable> | undefined;
  const target = (): Promise<Writable> => {
    opening ??= open().then((socket) => {
      socket.on("error", () => {});
      socket.resume();
      socket.once("close", () => input.destroy());
      return hasTerminal ? terminalInput(socket) : socket;
    });
    return opening;
  };
  const input = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      target().then((writable) => writable.write(chunk, callback), callback);
    },
    final(callback) {
      callback();
      // Who closes the process ends its stdin first, and lets go in the same turn.
      setImmediate(() => {
        if (!isLetGo())
          target().then(
            (writable) => writable.end(),
            () => {},
          );
      });
    },
    destroy(error, callback) {
      if (isLetGo())
        opening?.then(
          (writable) => writable.destroy(),
          () => {},
        );
      callback(error);
    },
  });
  return input;
}

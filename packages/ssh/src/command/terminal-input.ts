import { Writable } from "node:stream";
import type { ClientChannel } from "ssh2";

// What a terminal's line discipline reads as end of file: termios(3), VEOF.
const endOfTransmission = Buffer.from([4]);
const lineFeed = 10;

/** The keyboard of a remote terminal. Its end is typed: the channel stays open for a change of the terminal's size. */
export function terminalInput(channel: ClientChannel): Writable {
  let isAtLineStart = true;
  const input = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      isAtLineStart = chunk.at(-1) === lineFeed;
      channel.write(chunk, () => callback());
    },
    final(callback) {
      // Within a line the first one only hands the line over.
      if (!isAtLineStart && channel.writable) channel.write(endOfTransmission);
      if (channel.writable) channel.write(endOfTransmission);
      callback();
    },
  });
  channel.once("close", () => input.destroy());
  return input;
}

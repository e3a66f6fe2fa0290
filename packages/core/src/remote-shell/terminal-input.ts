import { type Duplex, Writable } from "node:stream";

// What a terminal's line discipline reads as end of file: termios(3), VEOF.
const endOfTransmission = Buffer.from([4]);
const lineFeed = 10;

/**
 * The keyboard of a terminal at the other end of a connection. Its end is typed: the connection stays open for the
 * output, and a terminal that is hung up would end the program.
 */
export function terminalInput(connection: Duplex): Writable {
  let isAtLineStart = true;
  const input = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      isAtLineStart = chunk.at(-1) === lineFeed;
      connection.write(chunk, () => callback());
    },
    final(callback) {
      // Within a line the first one only hands the line over.
      if (!isAtLineStart && connection.writable) connection.write(endOfTransmission);
      if (connection.writable) connection.write(endOfTransmission);
      callback();
    },
  });
  connection.once("close", () => input.destroy());
  return input;
}

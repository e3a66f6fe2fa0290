import type { Readable } from "node:stream";

/** Splits a byte stream into lines of UTF-8 text, without their "\n" or "\r\n". */
export async function* readLines(source: Readable): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // Searched only once, however long the line grows.
  let unfinished: string[] = [];
  // What becomes of a source that is not read to its end is the caller's to decide.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    const [head = "", ...others] = decoder.decode(chunk as Buffer, { stream: true }).split("\n");
    unfinished.push(head);
    for (const next of others) {
      const line = unfinished.join("");
      unfinished = [next];
      yield line.endsWith("\r") ? line.slice(0, -1) : line;
    }
  }
  const last = unfinished.join("") + decoder.decode();
  if (last !== "") yield last;
}

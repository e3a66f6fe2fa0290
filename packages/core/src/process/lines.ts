import type { Readable } from "node:stream";

/** Splits a byte stream into lines of UTF-8 text, without their "\n" or "\r\n". */
export async function* readLines(source: Readable): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  // What becomes of a source that is not read to its end is the caller's to decide.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    const text: string = rest + decoder.decode(chunk as Buffer, { stream: true });
    const lines = text.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

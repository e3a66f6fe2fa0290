import type { OnProgress, PullProgress } from "@anyproc/registry-extract";
import { megabytes } from "../megabytes.ts";
import { type OutputOptions, writeErrorLine, writeOutput } from "../output.ts";

/** What is known of a layer. */
interface Layer {
  readonly digest: string;
  readonly totalBytes: number;
  downloaded: number;
  unpacked: number;
}

const redrawEveryMs = 100;
const barWidth = 24;

/** Shows how far a pull is: JSON lines, bars on a terminal, else a line when a layer is there. */
export function progressShown(options: OutputOptions): OnProgress | undefined {
  if (options.json) return (progress) => writeOutput(`${JSON.stringify(progress)}\n`);
  if (options.quiet) return undefined;
  return process.stderr.isTTY ? bars() : lines();
}

function bars(): OnProgress {
  const layers: Layer[] = [];
  let drawn = 0;
  let drawnAt = 0;

  function draw(): void {
    // ECMA-48: up to the first bar; each line clears its rest.
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    process.stderr.write(`${up}${layers.map((layer) => `${bar(layer)}\x1b[K\n`).join("")}`);
    drawn = layers.length;
  }

  return (progress) => {
    if (!note(layers, progress)) return;
    const isLast = progress.phase === "done" || progress.phase === "layers";
    if (!isLast && Date.now() - drawnAt < redrawEveryMs) return;
    drawnAt = Date.now();
    draw();
  };
}

function bar({ digest, totalBytes, downloaded, unpacked }: Layer): string {
  const filled = totalBytes === 0 ? barWidth : Math.floor((unpacked / totalBytes) * barWidth);
  const loaded = totalBytes === 0 ? barWidth : Math.floor((downloaded / totalBytes) * barWidth);
  const drawing = "=".repeat(filled) + "-".repeat(Math.max(0, loaded - filled));
  return `${shortDigest(digest)} [${drawing.padEnd(barWidth)}] ${megabytes(downloaded)} of ${megabytes(totalBytes)}`;
}

function lines(): OnProgress {
  const layers: Layer[] = [];
  const told = new Set<number>();
  return (progress) => {
    if (progress.phase === "resolve") writeErrorLine(`${progress.reference}: asking for it`);
    note(layers, progress);
    layers.forEach((layer, index) => {
      if (layer.unpacked < layer.totalBytes || told.has(index)) return;
      told.add(index);
      writeErrorLine(
        `layer ${index + 1} of ${layers.length}, ${shortDigest(layer.digest)}: ${megabytes(layer.totalBytes)} unpacked`,
      );
    });
    if (progress.phase === "done") writeErrorLine(`${progress.directory}: complete, ${progress.digest}`);
  };
}

/** Takes an event in. False when it says nothing about layers. */
function note(layers: Layer[], progress: PullProgress): boolean {
  if (progress.phase === "layers") {
    layers.splice(0, layers.length, ...progress.layers.map((layer) => ({ ...layer, downloaded: 0, unpacked: 0 })));
    return true;
  }
  if (progress.phase === "done") {
    for (const layer of layers) layer.downloaded = layer.unpacked = layer.totalBytes;
    return true;
  }
  if (progress.phase === "resolve") return false;
  const layer = layers[progress.layer];
  if (!layer) return false;
  if (progress.phase === "download") layer.downloaded = progress.bytes;
  else layer.unpacked = progress.bytes;
  layer.downloaded = Math.max(layer.downloaded, layer.unpacked);
  return true;
}

function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}

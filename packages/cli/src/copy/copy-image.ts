import type { ImageInput } from "@anyproc/registry-extract";
import type { CopyOptions } from "../commands/copy.ts";
import { interruptible, libraryOptions, loadImageLibrary } from "../images/library.ts";
import { progressShown } from "../images/progress.ts";
import { writeErrorLine, writeJson } from "../output.ts";
import { UsageError } from "../usage-error.ts";

const imageKinds = ["registry", "oci", "oci-archive", "docker-archive", "tar"];
const savedKinds = ["oci", "oci-archive", "docker-archive"];

/** Copies a root filesystem between a directory and a registry, a layout or an archive. */
export async function copyImage(source: string, destination: string, options: CopyOptions): Promise<void> {
  const from = kindOf(source);
  const to = kindOf(destination);
  if (imageKinds.includes(from.kind) && to.kind === "dir") return unpack(source, to.place, options);
  if (from.kind === "dir" && to.kind === "registry") return push(from.place, to.place, options);
  if (from.kind === "dir" && savedKinds.includes(to.kind)) return save(from.place, destination, options);
  throw new UsageError(
    `copy ${from.kind}: to ${to.kind}: is not supported: copy from ${imageKinds.join(":, ")}: to dir:, or from dir: to ${["registry", ...savedKinds].join(":, ")}:`,
  );
}

function kindOf(text: string): { readonly kind: string; readonly place: string } {
  const [, kind, place] = /^([a-z-]+):(.+)$/s.exec(text) ?? [];
  if (kind !== undefined && place !== undefined && (kind === "dir" || imageKinds.includes(kind)))
    return { kind, place };
  throw new UsageError(`copy ${text}: begin with what it is: ${[...imageKinds, "dir"].join(":, ")}: or ssh://`);
}

async function unpack(source: string, directory: string, options: CopyOptions): Promise<void> {
  const { pullImage } = await loadImageLibrary();
  const onProgress = progressShown(options);
  await interruptible(async (signal) =>
    pullImage(source, directory, { ...(await libraryOptions(options, signal)), ...(onProgress && { onProgress }) }),
  );
}

async function push(rootfs: string, reference: string, options: CopyOptions): Promise<void> {
  const { pushImage } = await loadImageLibrary();
  const pushed = await interruptible(async (signal) =>
    pushImage(reference, imageInput(rootfs, options), {
      ...(await libraryOptions(options, signal)),
      onBlob(digest, result) {
        if (options.verbose) writeErrorLine(`anyproc: ${digest}: ${result}`);
      },
    }),
  );
  if (options.json) writeJson(pushed);
  else if (!options.quiet) writeErrorLine(`${pushed.reference}: ${pushed.digest}`);
}

async function save(rootfs: string, target: string, options: CopyOptions): Promise<void> {
  const { saveImage } = await loadImageLibrary();
  const saved = await interruptible(async (signal) =>
    saveImage(target, imageInput(rootfs, options), await libraryOptions(options, signal)),
  );
  if (options.json) writeJson(saved);
  else if (!options.quiet) writeErrorLine(`${saved.target}: ${saved.digest}`);
}

function imageInput(rootfs: string, { platform }: CopyOptions): ImageInput {
  return { rootfs, ...(platform !== undefined && { platform }) };
}

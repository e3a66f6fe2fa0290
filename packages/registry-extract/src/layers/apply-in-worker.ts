import { Worker } from "node:worker_threads";
import { AnyprocError, type ErrorCode, systemErrorCode } from "@anyproc/core";
import { imageError } from "../errors.ts";
import type { ApplyJob, ApplyMessage, ApplyResult } from "./apply-job.ts";
import { type ApplyListener, DamagedLayerError } from "./apply-layers.ts";
import { type ImageLimits, memoryShares } from "./limits.ts";
import { tooMuchToRemember } from "./memory-budget.ts";

// A larger one takes no less time: what grows with an image lies outside of the heap.
const youngGenerationMb = 6;

/** A thread that waits for a job; started early, it is ready when the job is. */
export function startApplyWorker(limits: ImageLimits): Worker {
  // Always the built file: a worker has none of the hooks with which tests read the sources. Options of this process,
  // such as --input-type, are not for it.
  const resourceLimits = {
    maxYoungGenerationSizeMb: youngGenerationMb,
    maxOldGenerationSizeMb: memoryShares(limits).heapMb,
  };
  return new Worker(new URL(import.meta.resolve("#worker")), { execArgv: [], resourceLimits });
}

/**
 * Runs a job in a thread of its own: decompression, digests and file system calls do not hold up the caller's event
 * loop. An abort ends the thread wherever it is, and it is ended afterwards in any case.
 *
 * @throws what runApplyJob() throws, and `signal.reason`
 */
export async function applyInWorker(
  job: ApplyJob,
  listener: Partial<ApplyListener>,
  signal?: AbortSignal,
  worker: Worker = startApplyWorker(job.limits),
): Promise<ApplyResult> {
  const abort = () => void worker.terminate();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    signal?.throwIfAborted();
    return await new Promise<ApplyResult>((resolve, reject) => {
      worker.once("error", (error) => reject(isOutOfMemory(error) ? tooMuchToRemember() : error));
      worker.once("exit", () => {
        reject(signal?.aborted ? signal.reason : new Error("the thread that unpacks layers ended without a result"));
      });
      worker.on("message", (message: ApplyMessage) => {
        if (message.type === "progress") {
          listener.onProgress?.(message.layer, message.compressedBytes, message.entries);
        } else if (message.type === "verified") {
          listener.onVerified?.(message.layer);
        } else if (message.type === "done") {
          resolve(message.result);
        } else {
          reject(failure(message));
        }
      });
      worker.postMessage(job);
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    await worker.terminate();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return systemErrorCode(error) === "ERR_WORKER_OUT_OF_MEMORY";
}

function failure({ code, message, damagedLayer }: ApplyMessage & { readonly type: "failed" }): Error {
  if (damagedLayer !== undefined) return new DamagedLayerError(damagedLayer, message);
  if (code.startsWith("ANYPROC_")) return new AnyprocError(code as ErrorCode, message);
  return imageError("ANYPROC_TARGET_UNWRITABLE", message);
}

// The thread in which layers are applied; apply-in-worker.ts starts it and hears it.
import { type MessagePort, parentPort } from "node:worker_threads";
import { systemErrorCode } from "@anyproc/core";
import { reasonOf } from "../errors.ts";
import type { ApplyJob, ApplyMessage } from "./apply-job.ts";
import { DamagedLayerError, runApplyJob } from "./apply-layers.ts";

const progressEveryMs = 50;
const port = parentPort as MessagePort;
let lastProgress = 0;

function post(message: ApplyMessage): void {
  port.postMessage(message);
}

async function work(job: ApplyJob): Promise<void> {
  try {
    const result = await runApplyJob(job, {
      onProgress(layer, compressedBytes, entries) {
        const now = Date.now();
        if (now - lastProgress < progressEveryMs) return;
        lastProgress = now;
        post({ type: "progress", layer, compressedBytes, entries });
      },
      onVerified: (layer) => post({ type: "verified", layer }),
    });
    post({ type: "done", result });
  } catch (error) {
    post({
      type: "failed",
      code: systemErrorCode(error) ?? "",
      message: reasonOf(error),
      damagedLayer: error instanceof DamagedLayerError ? error.layer : undefined,
    });
  }
}

// Listening keeps the thread alive until it is ended from outside: waiting for shared memory does not.
port.on("message", (job: ApplyJob) => void work(job));

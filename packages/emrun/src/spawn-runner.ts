import { setTimeout as pause } from "node:timers/promises";
import { type RunningProgram, systemErrorCode } from "@anyproc/core";
import { joinErrors } from "./join-errors.ts";
import { isNodeScript, nodeScriptCommand } from "./node-script.ts";
import type { PayloadFile } from "./payload-file.ts";
import { startError } from "./run-error.ts";
import { type OpenedPayload, openedPayload } from "./runnable.ts";
import { defineRunner, type RunCommand, type Runner } from "./runner.ts";
import { type SpawnPayload, spawnPayload } from "./spawn-payload.ts";
import { explainStart, isRefusal } from "./start-refusal.ts";

/** Runs payloads on this machine: from memory, or from a temporary file when the start from memory is refused. */
export function createSpawnRunner(spawn: SpawnPayload = spawnPayload): Runner {
  return defineRunner("emrun", async (runnable, command) => {
    const payload = openedPayload(runnable);
    const header = await payload.header();
    const fromMemory = payload.isMemfd && isNodeScript(header) ? nodeScriptCommand(command) : command;
    try {
      return await spawnFrom(payload.file, header, fromMemory, spawn);
    } catch (error) {
      if (payload.isMemfd && isRefusal(error, command)) return spawnFallback(payload, command, spawn, error);
      throw explainStart(payload.label, header, command, error);
    }
  });
}

/** The runner that is used when none is named. */
export const defaultRunner: Runner = createSpawnRunner();

async function spawnFallback(
  payload: OpenedPayload,
  command: RunCommand,
  spawn: SpawnPayload,
  refusal: Error,
): Promise<RunningProgram> {
  try {
    const file = await payload.moveToTemporaryFile(refusal);
    return await spawnFrom(file, await payload.header(), command, spawn);
  } catch (error) {
    const both = joinErrors(refusal, error);
    const message = `${payload.label}: cannot be executed, from memory or from a temporary file: ${both.message}`;
    throw startError("ANYPROC_EMRUN_NOT_EXECUTABLE", 126, message, both);
  }
}

// A process that another thread forks holds our descriptors until its own execve(2), also the one that a temporary
// file was written by, and what is open for writing cannot be executed: ETXTBSY. That passes, when it gets a processor.
const longestBusyMs = 5000;
const longestPauseMs = 100;

async function spawnFrom(
  file: PayloadFile,
  header: Buffer,
  command: RunCommand,
  spawn: SpawnPayload,
): Promise<RunningProgram> {
  const deadline = performance.now() + longestBusyMs;
  for (let pauseMs = 5; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await spawn(file, header, command);
    } catch (error) {
      if (systemErrorCode(error) !== "ETXTBSY" || performance.now() > deadline) throw error;
    }
    await pause(pauseMs);
  }
}

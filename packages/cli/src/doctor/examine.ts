import { arch, release, type } from "node:os";
import { type CommandInput, exec, isAnyprocError } from "@anyproc/core";
import { loadDocker } from "../environments/docker.ts";
import { loadPackage } from "../environments/load-package.ts";
import { sshPackage } from "../environments/ssh.ts";
import type { Check, Finding } from "./finding.ts";

/** Tries every environment on this machine. Never rejects. */
export function examine(): Promise<Finding[]> {
  return Promise.all([
    settle("host", host),
    settle("pty", pty),
    settle("proot", proot),
    settle("docker", docker),
    settle("ssh", () => installed(sshPackage, "the other machine is asked when a command runs there")),
    settle("emrun", emrun),
    settle("images", () => installed("@anyproc/registry-extract", "registries are asked when an image is pulled")),
  ]);
}

type Facts = Omit<Finding, "name">;

async function settle(name: string, look: () => Promise<Facts>): Promise<Finding> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!isAnyprocError(error, "ANYPROC_MISSING_PACKAGE")) return { name, status: "fails", detail: message };
    const [, cause = message, remedy = ""] = /^(.*?): (npm install .*|install it .*)$/.exec(message) ?? [];
    return { name, status: "missing", detail: cause.replace(`${name}: `, ""), ...(remedy !== "" && { remedy }) };
  }
}

async function host(): Promise<Facts> {
  await runHere([process.execPath, "--version"]);
  return { status: "works", detail: `${type()} ${release()}, ${arch()}, Node ${process.version}` };
}

async function pty(): Promise<Facts> {
  const script = "process.exitCode = process.stdout.isTTY ? 0 : 1";
  await runHere({ argv: [process.execPath, "-e", script], pty: true });
  return { status: "works", detail: "programs get a terminal of their own" };
}

async function proot(): Promise<Facts> {
  const { diagnose } = await loadPackage("@anyproc/proot", () => import("@anyproc/proot"));
  const { ok, checks } = await diagnose();
  if (ok) return { status: "works", detail: "programs run inside a root filesystem directory", checks };
  const failed = checks.find((check) => !check.ok);
  return {
    status: "fails",
    detail: failed ? `${failed.name}: ${failed.detail}` : "the engine cannot run",
    ...(failed?.remedy !== undefined && { remedy: failed.remedy }),
    checks,
  };
}

async function docker(): Promise<Facts> {
  const { connectDocker, leftContainers } = await loadDocker();
  const connection = await connectDocker({ timeoutMs: 5000 });
  try {
    const { engine, version, platform } = connection.daemon;
    const left = await leftContainers(connection);
    const check: Check = {
      name: "containers that were left behind",
      ok: left.length === 0,
      detail: left.length === 0 ? "none" : left.map(({ name }) => name).join(", "),
      ...(left.length > 0 && { remedy: "anyproc doctor --sweep" }),
    };
    return {
      status: "works",
      detail: `${engine} ${version} for ${platform} at ${connection.name}`,
      ...(left.length > 0 && { remedy: `${left.length} containers were left behind: anyproc doctor --sweep` }),
      checks: [check],
    };
  } finally {
    await connection.close();
  }
}

async function emrun(): Promise<Facts> {
  const { open, run } = await loadPackage("@anyproc/emrun", () => import("@anyproc/emrun"));
  const payload = await open(Buffer.from("#!/bin/sh\n"));
  try {
    // Windows has no interpreter for it, and no memory file either.
    if (process.platform !== "win32") await run(payload, [], { timeoutMs: 20_000 });
    const { isMemfd, fallbackReason } = payload;
    const detail = isMemfd
      ? "programs run from sealed memory files: memfd_create(2)"
      : `programs run from temporary files, since ${fallbackReason?.message}`;
    return { status: "works", detail };
  } finally {
    await payload.close();
  }
}

async function installed(packageName: string, whatIsOpen: string): Promise<Facts> {
  await loadPackage(packageName, () => import(packageName));
  return { status: "works", detail: `${packageName} is installed; ${whatIsOpen}` };
}

async function runHere(command: CommandInput): Promise<void> {
  const { createHost } = await import("@anyproc/host");
  const environment = createHost();
  try {
    await exec(environment, command, { timeoutMs: 20_000 });
  } finally {
    await environment.close();
  }
}

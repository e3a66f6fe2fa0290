import { loadDocker } from "../environments/docker.ts";
import { exitCodes } from "../exit-codes.ts";
import { type OutputOptions, writeErrorLine, writeJson, writeOutput } from "../output.ts";
import { examine } from "./examine.ts";
import { findingsTable } from "./table.ts";

/** Options of `anyproc doctor`. */
export interface DoctorOptions extends OutputOptions {
  readonly sweep?: boolean;
}

/** Prints what works here. Resolves with 0 when programs can be run on this machine, whatever else does not work. */
export async function doctor(options: DoctorOptions): Promise<number> {
  if (options.sweep) await sweep(options);
  const findings = await examine();
  const works = findings.some(({ name, status }) => name === "host" && status === "works");
  if (options.json) writeJson({ ok: works, environments: findings });
  else if (!options.quiet) {
    writeOutput(findingsTable(findings, { color: hasColor(), checks: options.verbose ?? false }));
  }
  return works ? 0 : exitCodes.internal;
}

/** Removes containers whose anyproc has ended without doing so. */
async function sweep(options: DoctorOptions): Promise<void> {
  const { connectDocker, sweepContainers } = await loadDocker();
  const connection = await connectDocker();
  try {
    for (const { name, image } of await sweepContainers(connection)) {
      if (!options.quiet) writeErrorLine(`anyproc: removed container ${name} of ${image}`);
    }
  } finally {
    await connection.close();
  }
}

/** https://no-color.org: any value but the empty one turns colour off. */
function hasColor(): boolean {
  return process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

import { exitCodes } from "../exit-codes.ts";
import { type OutputOptions, writeJson, writeOutput } from "../output.ts";
import { examine } from "./examine.ts";
import { findingsTable } from "./table.ts";

/** Prints what works here. Resolves with 0 when programs can be run on this machine, whatever else does not work. */
export async function doctor(options: OutputOptions): Promise<number> {
  const findings = await examine();
  const works = findings.some(({ name, status }) => name === "host" && status === "works");
  if (options.json) writeJson({ ok: works, environments: findings });
  else if (!options.quiet) {
    writeOutput(findingsTable(findings, { color: hasColor(), checks: options.verbose ?? false }));
  }
  return works ? 0 : exitCodes.internal;
}

/** https://no-color.org: any value but the empty one turns colour off. */
function hasColor(): boolean {
  return process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

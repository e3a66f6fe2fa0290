// `pnpm bench [host|engine|guests|emrun|ssh|docker|registry-extract] [--rounds N] [--directory DIR] [--json FILE]`: how long things
// take here and with the alternatives, both sides in one run. Measures and tells; a machine has bad days, so nothing
// fails when a target is missed.
import { writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { benchDocker } from "./docker.ts";
import { benchEmrun } from "./emrun.ts";
import { benchEngine } from "./engine.ts";
import { benchGuests } from "./guests.ts";
import { benchHost } from "./host.ts";
import { benchRegistryExtract } from "./registry-extract.ts";
import { type Comparison, format, judge, type Row } from "./report.ts";
import { benchSsh } from "./ssh.ts";

const suites: Record<string, (rounds: number, directory: string) => AsyncGenerator<Comparison>> = {
  host: benchHost,
  engine: benchEngine,
  guests: benchGuests,
  emrun: benchEmrun,
  ssh: benchSsh,
  docker: benchDocker,
  "registry-extract": benchRegistryExtract,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "7" },
    directory: { type: "string", default: tmpdir() },
    json: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const wanted = positionals.length > 0 ? positionals : Object.keys(suites);

const machine = { node: process.version, kernel: release(), processor: cpus()[0]?.model, cores: cpus().length };
console.log(`Node.js ${machine.node}, Linux ${machine.kernel}, ${machine.cores} x ${machine.processor}\n`);

const comparisons: Row[] = [];
for (const name of wanted) {
  const suite = suites[name];
  if (!suite) throw new Error(`${name}: no such benchmark; there are ${Object.keys(suites).join(" and ")}`);
  for await (const comparison of suite(rounds, values.directory)) {
    const row = judge(comparison);
    console.log(`${format(row)}\n`);
    comparisons.push(row);
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, rounds, comparisons }, null, 2)}\n`);

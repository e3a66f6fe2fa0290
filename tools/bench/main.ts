// `npm run bench -- [SUITE...] [--rounds N] [--directory DIR] [--json FILE]`: how long things take here and with the
// alternatives, both sides in one run. Measures and tells; a machine has bad days, so nothing
// fails when a target is missed.
import { writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type Comparison, format, judge, type Row } from "./report.ts";

type Suite = (rounds: number, directory: string) => AsyncGenerator<Comparison>;

// Loaded one by one: what a process has loaded is copied by each fork(2), and would count for all sides.
const suites: Record<string, () => Promise<Suite>> = {
  host: async () => (await import("./host.ts")).benchHost,
  engine: async () => (await import("./engine.ts")).benchEngine,
  guests: async () => (await import("./guests.ts")).benchGuests,
  emrun: async () => (await import("./emrun.ts")).benchEmrun,
  ssh: async () => (await import("./ssh.ts")).benchSsh,
  docker: async () => (await import("./docker.ts")).benchDocker,
  "registry-extract": async () => (await import("./registry-extract.ts")).benchRegistryExtract,
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
  const load = suites[name];
  if (!load) throw new Error(`${name}: no such benchmark; there are ${Object.keys(suites).join(" and ")}`);
  const suite = await load();
  for await (const comparison of suite(rounds, values.directory)) {
    const row = judge(comparison);
    console.log(`${format(row)}\n`);
    comparisons.push(row);
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, rounds, comparisons }, null, 2)}\n`);

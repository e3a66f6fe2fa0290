// `npm start`: one command on this machine and the same command inside the engine, with `/` itself as the guest's root
// filesystem. Uses the built packages as any program would.
import { existsSync } from "node:fs";
import { exec } from "@anyproc/core";
import { createHost } from "@anyproc/host";
import { createProot } from "@anyproc/proot";

const script = `echo "I am $(whoami), uid $(id -u), with $(find /usr/share | wc -l) files below /usr/share."`;
const command = ["sh", "-c", script];
const rounds = 5;
const executables = new URL("../packages/proot-linux-x64/bin", import.meta.url);

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (code) => (text) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
const bold = style(1);
const dim = style(2);
const green = style(32);
const yellow = style(33);

/** What the command says, and the least time of a few runs. */
async function measure(environment) {
  let best;
  for (let round = 0; round < rounds; round += 1) {
    const result = await exec(environment, command, { trimFinalNewline: true });
    if (!best || result.durationMs < best.durationMs) best = result;
  }
  return best;
}

function show(where, { durationMs, stdout }) {
  console.log(`${bold(green(where.padEnd(26)))}${dim(`${durationMs.toFixed(1).padStart(7)} ms`)}   ${stdout}`);
}

console.log(`${bold("anyproc")} runs a program anywhere behind one process interface.\n`);
console.log(`${dim(`$ sh -c '${script}'`)}\n`);

const host = createHost();
const onHost = await measure(host);
await host.close();
show("on this machine", onHost);

let guestWorks = true;
try {
  const guest = await createProot({ rootfs: "/" });
  const inGuest = await measure(guest);
  await guest.close();
  show("in a guest whose / is /", inGuest);
  const uid = process.getuid();
  const ratio = (inGuest.durationMs / onHost.durationMs).toFixed(1);
  const who =
    uid === 0 ? "You are root already, and so is the guest" : `You are uid ${uid}, and the guest takes itself for root`;
  console.log(`\n${who}: no daemon, no namespace, no tracer, and ${ratio} times the host's time.`);
} catch (error) {
  guestWorks = false;
  console.log(yellow(`The engine cannot run here: ${error.message}`));
  if (!existsSync(executables)) console.log("It has not been built: install gcc and make, and run npm start again.");
}

const anyproc = "node packages/cli/dist/main.js";
console.log(`\n${bold("Try next")}`);
console.log(`  ${anyproc} run -- uname -a`);
if (guestWorks) {
  console.log(`  ${anyproc} run --rootfs / -- id`);
  console.log(`  ${anyproc} run --rootfs / -it -- bash`);
}
console.log(`  ${anyproc} doctor`);
console.log(`  ${anyproc} --help`);

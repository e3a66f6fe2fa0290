// Runs a command the way a user of the library does: run-guest.mjs OPTIONS-OF-CREATE-PROOT-IN-JSON COMMAND [ARGUMENT...]
import { createProot } from "@anyproc/proot";

const [options, ...argv] = process.argv.slice(2);
const environment = await createProot(JSON.parse(options));
const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };
const guest = await environment.spawn({ argv, ...streams });
await guest.wait();
process.exitCode = guest.exitCode;

# npm ci of a small project from a local cache, and a program with workers and children.
export PATH=/opt/node/bin:$PATH npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false
npm() { node /opt/npm/bin/npm-cli.js "$@"; }
mkdir -p used/bin project
echo '{"name": "used", "version": "1.0.0", "bin": {"used": "bin/used.js"}, "scripts": {"postinstall": "echo installed > marker"}}' >used/package.json
printf '#!/usr/bin/env node\nconsole.log("used", process.argv.slice(2), __filename);\n' >used/bin/used.js
tarball=$(cd used && npm pack --silent --pack-destination /work)
integrity=sha512-$(node -p 'crypto.createHash("sha512").update(fs.readFileSync(process.argv[1])).digest("base64")' "$tarball")
npm cache add "$tarball"
cd project
echo '{"name": "project", "version": "1.0.0", "dependencies": {"used": "1.0.0"}}' >package.json
cat >package-lock.json <<END
{
  "name": "project", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
  "packages": {
    "": {"name": "project", "version": "1.0.0", "dependencies": {"used": "1.0.0"}},
    "node_modules/used": {
      "version": "1.0.0", "resolved": "https://registry.npmjs.org/used/-/used-1.0.0.tgz",
      "integrity": "$integrity", "hasInstallScript": true, "bin": {"used": "bin/used.js"}
    }
  }
}
END
npm ci --offline 2>&1 | sed 's/ in [0-9a-z]*$//'
node_modules/.bin/used x 'y z'
cat node_modules/used/marker
find . | sort
cat >program.mjs <<'END'
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, opendir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
const directory = await mkdtemp("/tmp/sample-");
await Promise.all(Array.from({ length: 100 }, (_, i) => writeFile(`${directory}/${i}`, `${i}`)));
await symlink("5", `${directory}/link`);
console.log(await readFile(`${directory}/link`, "utf8"), (await stat(directory)).isDirectory());
await cp("/etc/apt", `${directory}/copy`, { recursive: true });
const names = [];
for await (const entry of await opendir(`${directory}/copy`)) names.push(entry.name);
console.log(names.sort());
await rm(directory, { recursive: true });
const children = Array.from({ length: 10 }, (_, i) => once(spawn("sh", ["-c", `exit ${i}`]), "exit"));
console.log((await Promise.all(children)).map(([code]) => code));
const text = "const fs = require('fs'); for (let i = 0; i < 200; i++) fs.statSync('/etc/passwd'); require('worker_threads').parentPort.postMessage(process.cwd())";
console.log(await Promise.all(Array.from({ length: 4 }, async () => (await once(new Worker(text, { eval: true }), "message"))[0])));
console.log(execFileSync(process.execPath, ["-p", "process.execPath"], { encoding: "utf8" }));
await readFile("/no/such/file").catch((error) => console.log(error.message));
process.exit(12);
END
node program.mjs
echo $?

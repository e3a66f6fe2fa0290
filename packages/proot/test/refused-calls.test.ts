import { readFileSync } from "node:fs";
import { exec } from "@anyproc/core";
import { createProot, type RefusedCall } from "@anyproc/proot";
import { describe, expect, test } from "vitest";
import { parseRefusedCall } from "../src/refused-calls.ts";
import { engineIsMissing } from "./engine-is-missing.ts";

const script = readFileSync(new URL("fixtures/call.py", import.meta.url), "utf8");
// A number that no kernel has, acct(2) and io_uring_setup(2) on x86-64.
const numbers = ["999", "163", "425"];

describe.skipIf(engineIsMissing)("calls that are refused", () => {
  async function refused(options: { strict?: boolean }, pty = false): Promise<RefusedCall[]> {
    const calls: RefusedCall[] = [];
    const guest = await createProot({ rootfs: "/", ...options, onRefusedCall: (call) => calls.push(call) });
    const { stdout } = await exec(guest, { argv: ["python3", "-c", script, ...numbers, ...numbers], pty });
    expect(stdout.split(/\r?\n/).slice(0, 3)).toEqual(["38", "1", "38"]);
    await guest.close();
    return calls;
  }
  const program = expect.stringMatching(/^\/usr\/bin\/python3/);
  const pid = expect.any(Number);

  test("are told once, with the program that made them", async () => {
    expect(await refused({})).toEqual([
      { call: undefined, number: 999, error: "ENOSYS", pid, program },
      { call: "acct", number: 163, error: "EPERM", pid, program },
      { call: "io_uring_setup", number: 425, error: "ENOSYS", pid, program },
    ]);
  });

  test("unknown ones are passed on when not strict", async () => {
    const [first] = await refused({ strict: false });
    expect(first).toEqual({ call: undefined, number: 999, error: undefined, pid, program });
  });

  test("need nobody to listen", async () => {
    const guest = await createProot({ rootfs: "/" });
    const { stdout } = await exec(guest, ["python3", "-c", script, ...numbers]);
    expect(stdout).toBe("38\n1\n38\n");
  });
});

test.each(["", "mount", "mount x 1 2 /bin/mount", "the rest of a path"])("%j is no line of the launcher's", (line) => {
  expect(parseRefusedCall(line)).toBeUndefined();
});

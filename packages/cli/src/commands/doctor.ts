import { Command, Option } from "commander";
import type { DoctorOptions } from "../doctor/doctor.ts";
import type { SetExitCode } from "../program.ts";

/** `anyproc doctor`. */
export function doctorCommand(setExitCode: SetExitCode): Command {
  return new Command("doctor")
    .description("say what works on this machine, and what to do about what does not")
    .addOption(new Option("--sweep", "first remove containers that an anyproc which was killed has left behind"))
    .addHelpText(
      "after",
      `
Example:
  $ anyproc doctor --json

Exit status: 0 when programs can be run on this machine, whatever else does not work.`,
    )
    .action(async (_options: unknown, self: Command) => {
      const { doctor } = await import("../doctor/doctor.ts");
      setExitCode(await doctor(self.optsWithGlobals<DoctorOptions>()));
    });
}

import { diagnose } from "@anyproc/proot";

const { ok, checks } = await diagnose();

/** True where the engine cannot run; with CI set that is a failure, so the tests run and say why. */
export const engineIsMissing: boolean = !ok && !process.env["CI"];

if (engineIsMissing) {
  const reasons = checks.filter((check) => !check.ok).map((check) => `${check.detail}: ${check.remedy}`);
  console.warn(`tests of the engine are skipped: ${reasons.join("; ")}`);
}

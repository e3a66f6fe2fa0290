import { configureGlobal } from "fast-check";

/**
 * Generated inputs are the same in every run: what one run finds must not depend on chance. To look elsewhere,
 * `ANYPROC_TEST_SEED=7 npx vitest run`, or any other number.
 */
configureGlobal({ seed: Number(process.env["ANYPROC_TEST_SEED"] ?? 1) });

import { registerEnvironment, registeredEnvironments } from "@anyproc/core";
import { createProotByName } from "./create-proot.ts";

export type { Bind } from "@anyproc/core";
export { parseBind } from "./binds.ts";
export { createProot } from "./create-proot.ts";
export { type Diagnosis, type DiagnosisCheck, diagnose } from "./diagnose.ts";
export { engineVariable, findEngine } from "./engine.ts";
export { addNameservers } from "./nameservers.ts";
export type { ProotOptions } from "./options.ts";
export type { RefusedCall } from "./refused-calls.ts";

// Another copy of this package may be loaded already: either one serves.
if (!registeredEnvironments().includes("proot")) registerEnvironment("proot", createProotByName);

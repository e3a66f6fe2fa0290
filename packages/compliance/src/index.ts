export { compliance } from "./compliance.ts";
export type { ComplianceOptions, Subject, Suite } from "./subject.ts";

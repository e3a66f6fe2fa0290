/** One thing that an environment needs, and whether it is there. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

/** What was found out about one environment. */
export interface Finding {
  readonly name: string;
  /** `missing`: its package is not installed. */
  readonly status: "works" | "fails" | "missing";
  readonly detail: string;
  /** What to do about it, when something is to be done. */
  readonly remedy?: string;
  readonly checks?: readonly Check[];
}

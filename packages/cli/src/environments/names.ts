/** The environments that a command can be run in. */
export const environmentNames = ["host", "docker", "ssh", "proot"] as const;

/** One of them. */
export type EnvironmentName = (typeof environmentNames)[number];

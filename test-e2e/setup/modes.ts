/** A way to run the engine: by whom, and with which of createProot()'s options. */
export interface Mode {
  readonly name: string;
  readonly person: Person;
  readonly options: Readonly<Record<string, unknown>>;
}

export type Person = "root" | "ordinary user";

/** Every mode must give the same results; the first is root's, with nothing changed. */
export const modes: readonly [Mode, ...Mode[]] = [
  { name: "root", person: "root", options: {} },
  { name: "ordinary user", person: "ordinary user", options: {} },
  { name: "root, without the directory cache", person: "root", options: { cache: false } },
  { name: "ordinary user, without the directory cache", person: "ordinary user", options: { cache: false } },
  { name: "root, not patched", person: "root", options: { patch: false } },
  { name: "ordinary user, not patched", person: "ordinary user", options: { patch: false } },
];

/** Whom the ordinary user's files belong to. */
export const ordinaryUser = { uid: 65534, gid: 65534 };

/** What stands before a command that this person runs. */
export function as(person: Person, home: string): string[] {
  if (person === "root") return [];
  const { uid, gid } = ordinaryUser;
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "env", `HOME=${home}`];
}

import type { ImageSettings, RootfsLoss } from "@anyproc/core";

/** Settings as an import takes them, and those that it cannot take. */
export interface ImportChanges {
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
  readonly losses: readonly RootfsLoss[];
}

/** Docker Engine API, "Create an image": `changes` are instructions of a Dockerfile, one a line. */
export function importChanges(settings: Partial<ImageSettings>): ImportChanges {
  const { env = [], entrypoint = [], cmd = [], user, workdir, ports = [], volumes = [], labels = {} } = settings;
  const losses: RootfsLoss[] = [];
  const lose = (what: string, why: string): void => {
    losses.push({ path: "", what: "config", reason: `${what} was left out: ${why}` });
  };
  const changes = [
    ...env.map((variable) => {
      const [name = "", ...value] = variable.split("=");
      return { what: `the variable ${name}`, text: `ENV ${quoted(name)}=${quoted(value.join("="))}` };
    }),
    ...Object.entries(labels).map(([name, value]) => {
      return { what: `the label ${name}`, text: `LABEL ${quoted(name)}=${quoted(value)}` };
    }),
    ...(entrypoint.length > 0 ? [{ what: "the entrypoint", text: `ENTRYPOINT ${JSON.stringify(entrypoint)}` }] : []),
    ...(cmd.length > 0 ? [{ what: "the command", text: `CMD ${JSON.stringify(cmd)}` }] : []),
    ...(user ? [{ what: "the user", text: `USER ${quoted(user)}` }] : []),
    ...(workdir ? [{ what: "the working directory", text: `WORKDIR ${quoted(workdir)}` }] : []),
    ...ports.map((port) => ({ what: `the port ${port}`, text: `EXPOSE ${port}` })),
    ...volumes.map((path) => ({ what: `the volume ${path}`, text: `VOLUME ${JSON.stringify([path])}` })),
  ].flatMap(({ what, text }) => {
    if (!/[\n\r]/.test(text)) return [text];
    lose(what, "docker import takes no line breaks");
    return [];
  });
  if (settings.stopSignal) lose(`the stop signal ${settings.stopSignal}`, "docker import has no place for it");
  return { changes, losses };
}

/** Dockerfile reference, "Parser directives" and "Environment replacement": what would be replaced is escaped. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"$]/g, "\\$&")}"`;
}

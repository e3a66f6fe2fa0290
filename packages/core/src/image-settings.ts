/** How a container image wants to be run: OCI image-spec, config.md, the member `config`. */
export interface ImageSettings {
  /** `NAME=value`, in order. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `""`: root. Else `user[:group]`, names or numbers. */
  readonly user: string;
  /** `""`: `/`. */
  readonly workdir: string;
  /** `80/tcp`, sorted. */
  readonly ports: readonly string[];
  /** Mount points that the image wants kept, sorted. */
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
}

/**
 * The command line of a run: the image's entrypoint with the arguments, or with its cmd when there are none, as
 * `docker run` puts them together.
 */
export function imageCommand(
  { entrypoint, cmd }: Pick<ImageSettings, "entrypoint" | "cmd">,
  args: readonly string[] = [],
): string[] {
  return [...entrypoint, ...(args.length > 0 ? args : cmd)];
}

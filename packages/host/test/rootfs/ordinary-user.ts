/** Runs something with the rights of an ordinary user; only root can do that. */
export async function asOrdinaryUser<T>(action: () => Promise<T>): Promise<T> {
  process.setegid?.(65_534);
  process.seteuid?.(65_534);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

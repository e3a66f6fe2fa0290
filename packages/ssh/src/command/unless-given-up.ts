/** Waits for something until nobody wants it any more. @throws the signal's reason */
export async function unlessGivenUp<T>(work: Promise<T>, giveUp: AbortSignal): Promise<T> {
  let onAbort: () => void = () => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(giveUp.reason);
    if (giveUp.aborted) onAbort();
    else giveUp.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    giveUp.removeEventListener("abort", onAbort);
  }
}

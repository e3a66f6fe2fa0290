/** Results in the order of their items, with so many under way at once. */
export async function* ahead<Item, Result>(
  items: readonly Item[],
  count: number,
  start: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const started: Promise<Result>[] = [];
  let next = 0;
  for (const _item of items) {
    for (; next < items.length && started.length < count; next += 1) {
      const result = start(items[next] as Item);
      // Its failure is thrown when its turn comes, if it comes.
      result.catch(() => {});
      started.push(result);
    }
    const first = started.shift();
    if (first !== undefined) yield await first;
  }
}

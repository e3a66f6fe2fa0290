/** Two failures of one thing, the second one met while the first one was being got around. */
export function joinErrors(first: Error, second: unknown): AggregateError {
  const errors = [first, second];
  return new AggregateError(errors, errors.map((error) => (error instanceof Error ? error.message : error)).join("; "));
}

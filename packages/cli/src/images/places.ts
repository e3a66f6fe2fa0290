/** Kinds of places that hold an image. */
export const imageKinds: readonly string[] = ["registry", "oci", "oci-archive", "docker-archive", "tar"];

/** True for `KIND:PLACE` of an image. */
export function isImagePlace(text: string): boolean {
  return imageKinds.some((kind) => text.startsWith(`${kind}:`));
}

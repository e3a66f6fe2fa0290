/** Owner of a file or directory, as a guest sees it. */
export interface RootfsOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The extended attribute that holds the owner of a file or directory of a rootfs, where the file system cannot:
 * docs/rootfs-metadata.md. It counts before the metadata file.
 */
export const rootfsOwnerAttribute = "user.anyproc.owner";

/** The attribute's value. */
export function formatRootfsOwner({ uid, gid }: RootfsOwner): Buffer {
  return Buffer.from(`${uid}:${gid}`);
}

/** Reads the attribute's value; undefined when it is none. */
export function parseRootfsOwner(value: Uint8Array): RootfsOwner | undefined {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(Buffer.from(value).toString("latin1")) ?? [];
  const owner = { uid: Number(uid), gid: Number(gid) };
  // chown(2): the highest number means "leave it".
  return owner.uid < 0xffff_ffff && owner.gid < 0xffff_ffff ? owner : undefined;
}

import type { RootfsReport } from "@anyproc/core";

/** What a sync is doing. */
export interface SyncProgress {
  readonly phase: "compare" | "send" | "finish";
  /** The file that was sent last. */
  readonly path?: string;
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Options of upload() and download(). */
export interface SyncOptions {
  /** Remove from the target what the source does not have. @default false */
  readonly delete?: boolean;
  /** How unchanged files are told: by size and modification time, or by reading them on both sides. @default "time" */
  readonly compare?: "time" | "checksum";
  /** How files travel. @default "auto": tar where the server has it, else SFTP */
  readonly transport?: "auto" | "tar" | "sftp";
  readonly onProgress?: (progress: SyncProgress) => void;
  readonly signal?: AbortSignal;
}

/** What a sync did. */
export interface SyncReport extends RootfsReport {
  readonly transport: "tar" | "sftp";
  /** Files whose content travelled. */
  readonly sent: number;
  /** Files that were there already. */
  readonly unchanged: number;
  /** Files that an interrupted sync had brought already. */
  readonly resumed: number;
  readonly removed: number;
}

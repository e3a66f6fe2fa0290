/** The bytes of a payload in a file that can be executed. */
export interface PayloadFile {
  /** Open for reading, in this process; close-on-exec. */
  readonly descriptor: number;
  /** Where the file lies; undefined for one in anonymous memory, which only its descriptor leads to. */
  readonly path: string | undefined;
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
  /** Lets go of the file, and removes it. */
  release(): Promise<void>;
}

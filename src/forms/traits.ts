/** What is known of the hardware: all of it that the choice of a kernel depends on. */
export interface Traits {
  /** Whether workgroup memory and barriers pay, or direct loads are faster. */
  readonly workgroupMemory: boolean;
  /** Invocations in a workgroup of a kernel that leaves the choice open. */
  readonly threads: number;
  /** Whether direct loads are so slow that four neighbours had better share them. */
  readonly quads: boolean;
  /** Whether a dispatch costs more than a barrier, so that one workgroup had better run what is small. */
  readonly phases?: boolean;
  /** Invocations that a workgroup may have; 256 when left out. */
  readonly invocations?: number;
  /** What the adapter calls itself. */
  readonly name?: string;
}

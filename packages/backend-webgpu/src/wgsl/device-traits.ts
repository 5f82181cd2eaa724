/** What printed kernels depend on beside the kernel: properties of the device. */
export interface DeviceTraits {
  /** Whether float16 can be stored as it is; packed in pairs otherwise. */
  readonly half: boolean;
  /** Fewest threads of a subgroup; 0 where there are none, or threads do not know which one they are in. */
  readonly subgroupThreads: number;
  /** Whether the driver keeps every access inside its array, so that loads need not whose guards fail. */
  readonly checksBounds: boolean;
  /** Most threads of a workgroup, and bytes that they share. */
  readonly workgroupThreads: number;
  readonly workgroupBytes: number;
  /** Most workgroups along one axis of a dispatch. */
  readonly workgroupsPerAxis: number;
  /** Most storage buffers that a kernel binds. */
  readonly storageBuffers: number;
  /** Whether compiling takes longer than running, as on a processor: programs are short then, not fast. */
  readonly compilesSlowly?: boolean;
  /** Measured speeds of the tiles of contractions, relative to one another. */
  readonly tileSpeeds?: readonly number[];
}

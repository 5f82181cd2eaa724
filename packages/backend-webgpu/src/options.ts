/** How a WebGPU backend works. */
export interface WebgpuOptions {
  /** Which of several graphics cards. Default: what the system prefers. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * A `GPUDevice` to share, with a renderer for instance; it stays its owner's. Default: a device of the backend's own,
   * with all that its card offers.
   */
  readonly device?: object;
  /**
   * In Node, flags of the package `webgpu` (Dawn), such as `backend=vulkan` or `adapter=NVIDIA`: they choose among drivers and
   * cards. Unless they name Dawn's features, checks are left out that our programs make needless. Default: none.
   */
  readonly flags?: readonly string[];
  /** Most bytes of buffers and scratch together; WebGPU does not tell what a card has. Default 16 GiB. */
  readonly memoryBytes?: number;
  /**
   * Whether the speed of each way to cut contractions is measured, when the first is compiled, once a device and process: it
   * takes parts of a second. No result depends on it. Default: true, but for devices in software and those of the program.
   */
  readonly tune?: boolean;
  /** Shows the WGSL of each kernel when it is compiled first: `true` prints it, a function is given it. Default false. */
  readonly debug?: boolean | ((text: string) => void);
}

/** Options as they are used. */
export interface Settings {
  readonly powerPreference: WebgpuOptions['powerPreference'];
  readonly device: object | undefined;
  readonly flags: readonly string[];
  readonly memoryBytes: number;
  readonly tune: boolean | undefined;
  readonly debug: ((text: string) => void) | undefined;
}

const MEMORY_BYTES = 16 * 2 ** 30;

/** @throws with what is wrong with an option, and what it may be. */
export function settle({
  powerPreference,
  device,
  flags = [],
  memoryBytes = MEMORY_BYTES,
  tune,
  debug = false,
}: WebgpuOptions): Settings {
  if (powerPreference !== undefined && powerPreference !== 'low-power' && powerPreference !== 'high-performance') {
    throw wrong('powerPreference', powerPreference, "'low-power' or 'high-performance', or left out");
  }
  if (
    device !== undefined &&
    typeof (device as { createComputePipelineAsync?: unknown }).createComputePipelineAsync !== 'function'
  ) {
    throw wrong('device', device, 'a GPUDevice, or left out');
  }
  if (!Array.isArray(flags) || flags.some((flag) => typeof flag !== 'string')) {
    throw wrong('flags', flags, "a list of Dawn's flags, as ['backend=vulkan']");
  }
  if (!(memoryBytes >= 2 ** 20 && memoryBytes <= 2 ** 50))
    throw wrong('memoryBytes', memoryBytes, 'a number of bytes, 1 MiB at least');
  if (tune !== undefined && typeof tune !== 'boolean') throw wrong('tune', tune, 'true or false');
  if (typeof debug !== 'boolean' && typeof debug !== 'function') {
    throw wrong('debug', debug, 'true, false, or a function that is given the text');
  }
  const print = typeof debug === 'function' ? debug : debug ? (text: string) => console.log(text) : undefined;
  return { powerPreference, device, flags, memoryBytes: Math.floor(memoryBytes), tune, debug: print };
}

function wrong(option: string, value: unknown, allowed: string): Error {
  const given = typeof value === 'string' ? `'${value}'` : String(value);
  return new Error(`webgpu: ${option} is ${given}. It must be ${allowed}`);
}

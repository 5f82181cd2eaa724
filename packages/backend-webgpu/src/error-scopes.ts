const kinds = ['validation', 'out-of-memory', 'internal'] as const;

/** What went wrong on the device in a stretch of calls. */
export interface DeviceError {
  readonly kind: (typeof kinds)[number];
  readonly message: string;
}

/** Opens scopes for all kinds of errors; what it returns closes them and tells the first error, which arrives later. */
export function watchErrors(device: GPUDevice): () => Promise<DeviceError | undefined> {
  for (const kind of kinds) device.pushErrorScope(kind);
  return () => {
    const results = [...kinds].reverse().map(async (kind): Promise<DeviceError | undefined> => {
      // A lost device has no errors; that it is lost is told elsewhere.
      const error = await device.popErrorScope().catch(() => null);
      return error ? { kind, message: error.message } : undefined;
    });
    return Promise.all(results).then((all) => all.find((error) => error !== undefined));
  };
}

/** Snapshots that lie beside the page: two averages of a network, and an earlier one of the same training to guide by. */
export const shippedWeights: readonly string[] = [
  'weights/network-snapshot-0000122-0.100.safetensors',
  'weights/network-snapshot-0000122-0.050.safetensors',
  'weights/network-snapshot-0000032-0.100.safetensors',
];

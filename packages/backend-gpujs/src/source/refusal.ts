/** Why a kernel cannot be computed exactly here: it becomes a host step. */
export class Refusal extends Error {}

export {
  assertPreservesMagnitude,
  type LayerFactory,
  type MagnitudeOptions,
  type MagnitudeSubject,
} from './assert-preserves-magnitude.ts';
export type { CallableLayer, ExpectedMagnitude, MagnitudeContract, MagnitudeFunction } from './contract.ts';
export * from './contracts/index.ts';
export type { MagnitudeMeasurement, MagnitudeReport } from './report.ts';
export { type DecisionRule, drawsNeeded, judge, pilotDraws, type Verdict } from './statistics/decision.ts';
export { Sample } from './statistics/sample.ts';
export { hostRandom, type SimulationOptions, simulateRule } from './statistics/simulate.ts';
export { studentQuantile, studentTail } from './statistics/student-t.ts';

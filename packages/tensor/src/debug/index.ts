export { type Explainable, type ExplainedStep, type Explanation, explain } from './explain.ts';
export { type Profile, type ProfiledKernel, type ProfileOptions, profile } from './profile.ts';

export { checkpoint } from './checkpoint.ts';
export { type CustomContext, customVjp } from './custom-vjp.ts';
export { type GradientsOf, grad, type TensorTree } from './grad.ts';
export { vjp } from './vjp.ts';

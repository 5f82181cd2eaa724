import { Command } from 'commander';
import { metricsCalcCommand } from './metrics-calc.ts';
import { metricsGenCommand } from './metrics-gen.ts';
import { metricsRefCommand } from './metrics-ref.ts';
import { metricsSweepCommand } from './metrics-sweep.ts';

/** `edm2 metrics`: how like a reference images are. */
export function metricsCommand(): Command {
  return new Command('metrics')
    .description('Measures images against a reference: FID, KID, FD-DINOv2, and FD-small for emoji.')
    .addCommand(metricsRefCommand())
    .addCommand(metricsCalcCommand())
    .addCommand(metricsGenCommand())
    .addCommand(metricsSweepCommand())
    .addHelpText(
      'after',
      `
FD-small compares features of the classifier of emoji that ships here: it says how like emoji pictures are, on a scale of its
own. FID and FD-DINOv2 need networks that do not ship here, as ONNX files, and the package onnxruntime-node to run them.

Examples:
  edm2 metrics ref --data=emoji16 --dest=emoji16.npz --balance
  edm2 metrics gen --net=runs/00 --ref=emoji16.npz --num=2000
  edm2 metrics calc --images=out --ref=cifar10-32x32.npz --metrics=fid --inception=inception.onnx`,
    );
}

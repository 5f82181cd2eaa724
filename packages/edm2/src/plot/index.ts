export { contourLoops, type Grid } from './contour.ts';
export {
  type AreaShape,
  type DotsShape,
  type Drawing,
  drawingToSvg,
  type LineShape,
  type PlotPoint,
  type Shape,
  type TextShape,
} from './drawing.ts';
export { type ChartOptions, lineChart, type Series } from './line-chart.ts';
export { type DrawingRasterOptions, drawingToRaster } from './raster.ts';

/** A computation as an ONNX file: nodes in order, float32 throughout. */
export interface Graph {
  readonly nodes: readonly {
    readonly operator: string;
    readonly inputs: readonly string[];
    readonly output: string;
    readonly attributes: Readonly<Record<string, readonly number[]>>;
  }[];
  readonly inputs: readonly Value[];
  readonly output: Value;
}

interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Field numbers are those of onnx.proto, version 8 of its format. */
export function onnxModel({ nodes, inputs, output }: Graph): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.flatMap((node) =>
      message(1, [
        ...node.inputs.flatMap((name) => text(1, name)),
        ...text(2, node.output),
        ...text(4, node.operator),
        ...Object.entries(node.attributes).flatMap(([name, values]) => message(5, integersAttribute(name, values))),
      ]),
    ),
    ...text(2, 'bench'),
    ...inputs.flatMap((input) => message(11, valueInfo(input))),
    ...message(12, valueInfo(output)),
  ];
  const operatorSet = [...text(1, ''), ...number(2, 17)];
  return Uint8Array.from([...number(1, 8), ...message(7, graph), ...message(8, operatorSet)]);
}

function valueInfo({ name, shape }: Value): number[] {
  const dimensions = shape.flatMap((size) => message(1, number(1, size)));
  const float32 = 1;
  return [...text(1, name), ...message(2, message(1, [...number(1, float32), ...message(2, dimensions)]))];
}

function integersAttribute(name: string, values: readonly number[]): number[] {
  const integers = 7;
  return [...text(1, name), ...values.flatMap((value) => number(8, value)), ...number(20, integers)];
}

function number(field: number, value: number): number[] {
  return [...variableLength(field << 3), ...variableLength(value)];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...variableLength((field << 3) | 2), ...variableLength(bytes.length), ...bytes];
}

/** Seven bits a byte, lowest first. */
function variableLength(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

import type { Guard, Linear } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';
import { type Indices, LANES } from '../indices.ts';
import type { Value } from '../loop-values.ts';
import type { Group } from './blocking.ts';
import { forLaneGroups } from './lane-groups.ts';
import { isSequence } from './sequence.ts';
import type { Site } from './site.ts';
import { transpose } from './transpose.ts';

/** A line of an image: what operand `a` is at neighbouring places, in all channels. */
export interface Line {
  /** The axis that places are told by. */
  readonly x: number;
  readonly places: number;
  readonly channels: Group;
  /** Floats from a place to the next, and from a channel to the next; one of them is 1. */
  readonly placeStep: number;
  readonly channelStep: number;
}

/** Evaluates a line. All axes but those of places and channels are set at `position`. */
export function evaluateLine(site: Site, line: Line, position: Indices, target: Value): void {
  const { builder, indices } = site;
  const { space } = indices;
  const { x, places, channels, placeStep, channelStep } = line;
  const [from, to] = inside(site, line, position);
  const inLine = site.at(1, position);
  const value = (here: Indices): Value => {
    const expressions = site.expressions(here);
    const result = expressions.value(site.kernel.a);
    return here.lanes === 1 ? result : expressions.vectors.splat(result, 'float32');
  };
  const at = (place: Linear, channel: Linear): Value => {
    return indices.value(space.add(space.mul(place, 4 * placeStep), space.mul(channel, 4 * channelStep)), target);
  };
  const forPlaces = (start: number, end: number, step: number, body: (place: Linear) => void): void => {
    const turns = Math.floor((end - start) / step);
    if (turns <= 0) return;
    site.loop(builder.i32(0), builder.i32(turns), turns, (turn) => {
      body(space.add(space.mul(turn, step), space.literal(start)));
    });
  };
  const forChannels = (step: number, body: (channel: Linear) => void): void => {
    const turns = channels.count / step;
    site.loop(builder.i32(0), builder.i32(turns), turns, (turn) => body(space.mul(turn, step)));
  };
  /** Places from ... to - 1 one by one. */
  const singles = (start: number, end: number): void => {
    forPlaces(start, end, 1, (place) => {
      inLine.bind(x, () => place);
      if (channels.count % LANES !== 0 || channelStep !== 1) {
        forChannels(1, (channel) => {
          const here = site.at(1, inLine);
          site.place(here, channels, () => channel);
          builder.store('f32.store', at(place, channel), value(here));
        });
        return;
      }
      forLaneGroups(site, channels.count, (firsts) => {
        const values = firsts.map((first) => {
          const here = site.at(LANES, inLine);
          site.place(here, channels, (lane) => space.add(first, space.literal(lane)));
          return value(here);
        });
        const address = at(place, firsts[0] as Linear);
        values.forEach((one, i) => {
          builder.store('v128.store', address, one, 4 * LANES * i);
        });
      });
    });
  };
  /** Four neighbouring places in each channel; channels four by four where they are neighbours in the target. */
  const fours = (start: number, end: number): void => {
    const rowAt = (place: Linear, channel: Linear): Value => {
      const here = site.at(LANES, position);
      site.place(here, channels, () => channel);
      here.bind(x, (lane) => space.add(place, space.literal(lane)));
      return value(here);
    };
    if (placeStep === 1) {
      forChannels(1, (channel) => {
        forPlaces(start, end, LANES, (place) => {
          builder.store('v128.store', at(place, channel), rowAt(place, channel));
        });
      });
      return;
    }
    forPlaces(start, end, LANES, (place) => {
      forChannels(LANES, (channel) => {
        const rows = [0, 1, 2, 3].map((i) => rowAt(place, space.add(channel, space.literal(i))));
        transpose(site, rows).forEach((one, i) => {
          builder.store('v128.store', at(place, channel), one, 4 * placeStep * i);
        });
      });
    });
  };
  /** Four places of four channels, which are neighbours where they are read, turned round. */
  const squares = (start: number, end: number): void => {
    forPlaces(start, end, LANES, (place) => {
      forChannels(LANES, (channel) => {
        const rows = [0, 1, 2, 3].map((i) => {
          const here = site.at(LANES, position);
          site.place(here, channels, (lane) => space.add(channel, space.literal(lane)));
          here.bind(x, () => space.add(place, space.literal(i)));
          return value(here);
        });
        transpose(site, rows).forEach((one, i) => {
          builder.store('v128.store', at(place, channel), one, 4 * channelStep * i);
        });
      });
    });
  };
  const isAlong = isAlongPlaces(site, line);
  const isTurned = !isAlong && placeStep === 1 && channels.count % LANES === 0 && to - from >= LANES;
  const whole = isAlong || isTurned ? Math.floor((to - from) / LANES) * LANES : 0;
  singles(0, from);
  if (isTurned) squares(from, from + whole);
  else fours(from, from + whole);
  singles(from + whole, to);
  singles(to, places);
}

/** Whether four places are read at once, rather than four channels. */
export function isAlongPlaces(site: Site, { x, channels, placeStep, places }: Omit<Line, 'channelStep'>): boolean {
  if (places < LANES || (placeStep !== 1 && channels.count % LANES !== 0)) return false;
  let [alongPlaces, alongChannels] = [0, 0];
  visitExprs([site.kernel.a], (expr) => {
    if (expr.kind !== 'load') return [];
    const many = 2 ** 20;
    if (isSequence(site, { axes: [x], sizes: [many], count: many }, expr.index)) alongPlaces++;
    if (isSequence(site, channels, expr.index)) alongChannels++;
    return [];
  });
  return alongPlaces > (placeStep === 1 ? 0 : alongChannels);
}

/** The places from ... to - 1 at which no guard on them fails: padding is outside. */
function inside(site: Site, { x, places, channels }: Line, around: Indices): readonly [number, number] {
  let [from, to] = [0, places];
  const position = site.at(1, around);
  const zero = position.space.literal(0);
  const place = site.indices.counter(Math.max(2, places), site.builder.i32(0));
  const channel = site.indices.counter(Math.max(2, channels.count), site.builder.i32(0));
  site.place(position, channels, () => channel);
  const narrow = (guards: readonly Guard[]): void => {
    for (const guard of guards) {
      if (guard.kind !== 'range') continue;
      position.bind(x, () => zero);
      const start = position.linear(guard.index);
      position.bind(x, () => place);
      const { terms, constant } = position.linear(guard.index);
      if (start.terms.length > 0 || terms.length !== 1 || terms[0]?.factor !== 1) continue;
      from = Math.max(from, guard.from - constant);
      to = Math.min(to, guard.to - constant);
    }
  };
  visitExprs([site.kernel.a], (expr) => {
    if (expr.kind === 'load' || expr.kind === 'guard') narrow(expr.guards);
    return [];
  });
  return from < to ? [from, to] : [0, places];
}

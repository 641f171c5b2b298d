// Geometry of the timeline: which bytes and steps are where on the canvas.
//
//   address ^  +-----------------------------+
//           |  | arena: live ranges x bytes  |   one lane for the arena, on its own scale
//           |  +-----------------------------+
//           |  | state, weights, inputs      |   thin lanes for what always lives; marks where an op touches it
//           |  +-----------------------------+
//           +------------------------------------> step
import type { ArenaBuffer, PhaseModel, ResidentBuffer } from '../plan/model';
import type { SegmentName } from '../plan/types';

export interface Lane {
  segment: SegmentName;
  top: number;
  height: number;
  /** Bytes at the lane's upper edge. */
  bytes: number;
  buffers: ResidentBuffer[]; // empty for the arena
}

export interface Viewport {
  /** Steps at the left and right edge. */
  from: number;
  to: number;
}

export interface Scene {
  phase: PhaseModel;
  width: number;
  height: number;
  left: number;
  right: number; // x of the plot's right edge
  arena: Lane;
  lanes: Lane[]; // the arena first
  view: Viewport;
}

const GUTTER = 74;
const MARGIN_RIGHT = 14;
const MARGIN_TOP = 22;
const AXIS = 28;
const LANE_GAP = 7;
const THIN_LANE = 24;
const HEADROOM = 1.07; // so that the peak line's label stands above the blocks
const RESIDENT: SegmentName[] = ['state', 'weights', 'inputs'];

export function makeScene(phase: PhaseModel, width: number, height: number, view: Viewport): Scene {
  const kept = RESIDENT.map((segment) => ({
    segment,
    buffers: phase.resident.filter((buffer) => buffer.segment === segment && buffer.size > 0),
  })).filter((lane) => lane.buffers.length > 0);
  const below = kept.length * (THIN_LANE + LANE_GAP);
  const arenaHeight = Math.max(60, height - MARGIN_TOP - AXIS - below);
  const arena: Lane = {
    segment: 'arena',
    top: MARGIN_TOP,
    height: arenaHeight,
    bytes: Math.max(1, phase.arena, ...phase.live) * HEADROOM,
    buffers: [],
  };
  let top = MARGIN_TOP + arenaHeight + LANE_GAP;
  const lanes = kept.map(({ segment, buffers }): Lane => {
    const last = buffers[buffers.length - 1]!;
    const lane = { segment, top, height: THIN_LANE, bytes: Math.max(1, last.offset + last.size), buffers };
    top += THIN_LANE + LANE_GAP;
    return lane;
  });
  return {
    phase,
    width,
    height,
    left: GUTTER,
    right: Math.max(GUTTER + 10, width - MARGIN_RIGHT),
    arena,
    lanes: [arena, ...lanes],
    view,
  };
}

export function xOf(scene: Scene, step: number): number {
  const { from, to } = scene.view;
  return scene.left + ((step - from) / (to - from)) * (scene.right - scene.left);
}

export function stepAt(scene: Scene, x: number): number {
  const { from, to } = scene.view;
  return from + ((x - scene.left) / (scene.right - scene.left)) * (to - from);
}

export function yOf(lane: Lane, bytes: number): number {
  return lane.top + lane.height * (1 - bytes / lane.bytes);
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function arenaRect(scene: Scene, buffer: ArenaBuffer): Rect {
  const x = xOf(scene, buffer.begin);
  const y = yOf(scene.arena, buffer.offset + buffer.size);
  return { x, y, width: xOf(scene, buffer.end) - x, height: yOf(scene.arena, buffer.offset) - y };
}

export type Hit =
  | { kind: 'arena'; buffer: ArenaBuffer; step: number }
  | { kind: 'resident'; buffer: ResidentBuffer; step: number }
  | { kind: 'step'; step: number };

const REACH = 2; // px around thin blocks that still count as them

/** What is at a point: the thinnest block there, else the step alone, else nothing. */
export function hitAt(scene: Scene, x: number, y: number): Hit | null {
  if (x < scene.left || x > scene.right) return null;
  const step = Math.min(scene.phase.ops.length - 1, Math.max(0, Math.floor(stepAt(scene, x))));
  let found: ArenaBuffer | null = null;
  for (const buffer of scene.phase.buffers) {
    const rect = arenaRect(scene, buffer);
    const inside = x >= rect.x && x <= rect.x + rect.width && y >= rect.y - REACH && y <= rect.y + rect.height + REACH;
    if (inside && (!found || buffer.size < found.size)) found = buffer;
  }
  if (found) return { kind: 'arena', buffer: found, step };
  for (const lane of scene.lanes) {
    if (lane.segment === 'arena' || y < lane.top || y > lane.top + lane.height) continue;
    const bytes = (1 - (y - lane.top) / lane.height) * lane.bytes;
    const buffer = lane.buffers.find((one) => bytes >= one.offset && bytes < one.offset + one.size);
    if (buffer) return { kind: 'resident', buffer, step };
  }
  return { kind: 'step', step };
}

/** Round numbers of bytes for grid lines: a power of two apart, four to eight lines. */
export function byteTicks(bytes: number): number[] {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(bytes / 6)));
  const ticks: number[] = [];
  for (let at = 0; at <= bytes; at += step) ticks.push(at);
  return ticks;
}

/** Steps to label: round distances, at least `apart` pixels from one another. */
export function stepTicks(scene: Scene, apart: number): number[] {
  const perStep = (scene.right - scene.left) / (scene.view.to - scene.view.from);
  const rough = Math.max(1, apart / perStep);
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough);
  const ticks: number[] = [];
  for (let at = Math.ceil(scene.view.from / distance) * distance; at < scene.view.to; at += distance) ticks.push(at);
  return ticks;
}

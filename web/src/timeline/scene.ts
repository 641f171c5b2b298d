// Geometry of the timeline: which bytes and steps are where on the canvas.
//
//   address ^  +-----------------------------+
//           |  | arena: live ranges x bytes  |   one lane for the arena, on its own scale
//           |  +-----------------------------+
//           |  | state, weights, inputs      |   thin lanes for what always lives; marks where an op touches it
//           |  +-----------------------------+
//           +------------------------------------> step
//              | layer 0 | 1 | 13 more | 15 |      where the program has loops
import { type Fold, type Section, StepAxis } from '../model/layers';
import type { BufferRecord, Phase, ResidentRecord } from '../model/phase';
import type { SegmentName } from '../model/plan';

export interface Lane {
  segment: SegmentName;
  top: number;
  height: number;
  /** Bytes at the lane's upper edge. */
  bytes: number;
  buffers: ResidentRecord[]; // empty for the arena
}

export interface Viewport {
  /** Units of the axis at the left and right edge. */
  from: number;
  to: number;
}

/** What a budget leaves to the arena. */
export interface Room {
  bytes: number;
  budget: string;
}

export interface Scene {
  phase: Phase;
  axis: StepAxis;
  width: number;
  height: number;
  left: number;
  right: number; // x of the plot's right edge
  arena: Lane;
  lanes: Lane[]; // the arena first
  /** Top of the row of layers; none where the program has no loops. */
  layers: number | null;
  room: Room | null;
  view: Viewport;
}

const GUTTER = 74;
const MARGIN_RIGHT = 14;
const MARGIN_TOP = 22;
const AXIS = 28;
const LAYER_ROW = 20;
const LANE_GAP = 7;
const THIN_LANE = 24;
const HEADROOM = 1.07; // so that the peak line's label stands above the blocks
const FAR = 1.7; // times the arena: a budget's line beyond it would leave the blocks no height
const RESIDENT: SegmentName[] = ['state', 'weights', 'inputs'];
const LEAST_ARENA = 60;
/** Of the arena's lane, where the element may be as high as it needs to be. */
export const GOOD_ARENA = 240;

export function hasLayers(phase: Phase): boolean {
  return phase.sections.some((section) => section.loop !== '');
}

function residentLanes(phase: Phase): { segment: SegmentName; buffers: ResidentRecord[] }[] {
  const lanes = RESIDENT.map((segment) => ({
    segment,
    buffers: phase.resident.filter((buffer) => buffer.segment === segment && phase.residentSize[buffer.index]! > 0),
  }));
  return lanes.filter((lane) => lane.buffers.length > 0);
}

/** What the lanes and axes take beside the arena's lane. */
export function heightBeside(phase: Phase): number {
  return MARGIN_TOP + AXIS + (hasLayers(phase) ? LAYER_ROW : 0) + residentLanes(phase).length * (THIN_LANE + LANE_GAP);
}

export interface SceneInput {
  phase: Phase;
  axis: StepAxis;
  room: Room | null;
  /** Bytes that the arena's lane has at least. */
  least: number;
  width: number;
  height: number;
  view: Viewport;
}

export function makeScene({ phase, axis, room, least, width, height, view }: SceneInput): Scene {
  let most = Math.max(1, phase.arena, least);
  for (const bytes of phase.live) if (bytes > most) most = bytes;
  const arenaHeight = Math.max(LEAST_ARENA, height - heightBeside(phase));
  const scale = room && room.bytes > most && room.bytes <= FAR * most ? room.bytes : most;
  const arena: Lane = { segment: 'arena', top: MARGIN_TOP, height: arenaHeight, bytes: scale * HEADROOM, buffers: [] };
  let top = MARGIN_TOP + arenaHeight + LANE_GAP;
  const lanes = residentLanes(phase).map(({ segment, buffers }): Lane => {
    const last = buffers[buffers.length - 1]!.index;
    const bytes = Math.max(1, phase.residentOffset[last]! + phase.residentSize[last]!);
    const lane = { segment, top, height: THIN_LANE, bytes, buffers };
    top += THIN_LANE + LANE_GAP;
    return lane;
  });
  return {
    ...{ phase, axis, width, height, arena, room, view },
    left: GUTTER,
    right: Math.max(GUTTER + 10, width - MARGIN_RIGHT),
    lanes: [arena, ...lanes],
    layers: hasLayers(phase) ? height - LAYER_ROW : null,
  };
}

export function pixelsAStep(scene: Scene): number {
  return (scene.right - scene.left) / (scene.view.to - scene.view.from);
}

export function xOf(scene: Scene, step: number): number {
  const { from, to } = scene.view;
  return scene.left + ((scene.axis.unitOf(step) - from) / (to - from)) * (scene.right - scene.left);
}

export function unitAt(scene: Scene, x: number): number {
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

export function arenaRect(scene: Scene, { index, begin, end }: BufferRecord): Rect {
  const { offset, size } = scene.phase;
  const x = xOf(scene, begin);
  const y = yOf(scene.arena, offset[index]! + size[index]!);
  return { x, y, width: xOf(scene, end) - x, height: yOf(scene.arena, offset[index]!) - y };
}

export type Hit =
  | { kind: 'arena'; buffer: BufferRecord; step: number }
  | { kind: 'resident'; buffer: ResidentRecord; step: number }
  | { kind: 'layer'; section: Section; fold: Fold | null; step: number }
  | { kind: 'step'; step: number };

const REACH = 2; // px around thin blocks that still count as them

/** What is at a point: the thinnest block there, else the layer or the step alone, else nothing. */
export function hitAt(scene: Scene, x: number, y: number): Hit | null {
  if (x < scene.left || x > scene.right) return null;
  const { phase } = scene;
  const step = Math.min(phase.ops.length - 1, Math.max(0, Math.floor(scene.axis.stepAt(unitAt(scene, x)))));
  if (scene.layers !== null && y >= scene.layers) {
    const section = phase.sections.find((one) => step >= one.begin && step < one.end);
    return section?.loop ? { kind: 'layer', section, fold: scene.axis.foldAt(step), step } : { kind: 'step', step };
  }
  let found: BufferRecord | null = null;
  for (const buffer of phase.buffers) {
    if (found && phase.size[buffer.index]! >= phase.size[found.index]!) continue;
    const rect = arenaRect(scene, buffer);
    if (x >= rect.x && x <= rect.x + rect.width && y >= rect.y - REACH && y <= rect.y + rect.height + REACH) found = buffer;
  }
  if (found) return { kind: 'arena', buffer: found, step };
  for (const lane of scene.lanes.slice(1)) {
    if (y < lane.top || y > lane.top + lane.height) continue;
    const bytes = (1 - (y - lane.top) / lane.height) * lane.bytes;
    const { residentOffset: offset, residentSize: size } = phase;
    const buffer = lane.buffers.find(({ index }) => bytes >= offset[index]! && bytes < offset[index]! + size[index]!);
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

/** Steps to label: round distances, at least `apart` pixels from one another; none within a fold. */
export function stepTicks(scene: Scene, apart: number): number[] {
  const rough = Math.max(1, apart / pixelsAStep(scene));
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough);
  const from = scene.axis.stepAt(scene.view.from);
  const to = Math.min(scene.axis.steps, scene.axis.stepAt(scene.view.to));
  const ticks: number[] = [];
  for (let at = Math.ceil(from / distance - 1e-9) * distance; at < to; at += distance)
    if (!scene.axis.foldAt(at)) ticks.push(at);
  return ticks;
}

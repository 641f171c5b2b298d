// Draws a scene: blocks at their addresses, the live, peak, budget and lower-bound lines, layers and axes. What moves with
// the pointer is drawn apart, on a canvas above.
import { type Kind, KINDS, kindOf } from '../model/kinds';
import { bytesText } from '../model/numbers';
import type { BufferRecord } from '../model/phase';
import type { Palette } from './palette';
import { type Lane, type Rect, type Scene, arenaRect, byteTicks, pixelsAStep, stepTicks, xOf, yOf } from './scene';

export interface Marks {
  selected: string | null; // id of a buffer, arena or resident
  highlighted: ReadonlySet<string>; // by the editor's line
  /** Ids that a search found; null where nothing is searched. */
  found: ReadonlySet<string> | null;
}

/** What moves with the pointer. */
export interface Pointer {
  hovered: string | null;
  step: number | null;
}

type Pen = CanvasRenderingContext2D;

const DENSE = 2; // px a step below which blocks are colour alone, and the live line an area

export function paint(pen: Pen, scene: Scene, palette: Palette, marks: Marks): void {
  pen.fillStyle = palette.paper;
  pen.fillRect(0, 0, scene.width, scene.height);
  pen.font = palette.font;
  pen.textBaseline = 'middle';
  for (const lane of scene.lanes) paintLane(pen, scene, lane, palette);
  const dense = pixelsAStep(scene) < DENSE;
  clipped(pen, scene, () => {
    for (const lane of scene.lanes.slice(1)) paintResident(pen, scene, lane, palette, marks);
    const { buffers } = scene.phase;
    const thin = dense ? buffers : buffers.filter((buffer) => isFolded(scene, buffer));
    paintDense(pen, scene, thin, palette, marks);
    if (!dense) for (const buffer of buffers) if (!isFolded(scene, buffer)) paintBlock(pen, scene, buffer, palette, marks);
    paintFolds(pen, scene, palette);
    paintOutlines(pen, scene, palette, marks);
    if (dense) paintLiveArea(pen, scene, palette);
    else paintLive(pen, scene, palette);
    paintOverBudget(pen, scene, palette);
  });
  paintLimits(pen, scene, palette);
  paintSteps(pen, scene, palette);
  paintLayers(pen, scene, palette);
}

export function paintPointer(pen: Pen, scene: Scene, palette: Palette, { hovered, step }: Pointer): void {
  pen.clearRect(0, 0, scene.width, scene.height);
  clipped(pen, scene, () => {
    const buffer = hovered === null ? undefined : scene.phase.arenaById.get(hovered);
    if (buffer) outline(pen, arenaRect(scene, buffer), palette.ink, 1.5);
    paintHoveredResident(pen, scene, palette, hovered);
    if (step === null) return;
    const bottom = scene.lanes[scene.lanes.length - 1]!;
    const x = Math.round(xOf(scene, step + 0.5)) + 0.5;
    pen.strokeStyle = palette.accent;
    pen.lineWidth = 1;
    pen.globalAlpha = 0.6;
    line(pen, x, scene.arena.top, x, bottom.top + bottom.height);
    pen.globalAlpha = 1;
  });
}

function paintHoveredResident(pen: Pen, scene: Scene, palette: Palette, hovered: string | null): void {
  const buffer = hovered === null ? undefined : scene.phase.residentById.get(hovered);
  const lane = buffer && scene.lanes.find((one) => one.segment === buffer.segment);
  if (!buffer || !lane) return;
  const { residentOffset: offset, residentSize: size } = scene.phase;
  const y = yOf(lane, offset[buffer.index]! + size[buffer.index]!);
  pen.globalAlpha = 0.4;
  pen.fillStyle = palette.accent;
  pen.fillRect(scene.left, y, scene.right - scene.left, Math.max(2, yOf(lane, offset[buffer.index]!) - y));
  pen.globalAlpha = 1;
}

function clipped(pen: Pen, scene: Scene, draw: () => void): void {
  pen.save();
  pen.beginPath();
  pen.rect(scene.left, 0, scene.right - scene.left, scene.height);
  pen.clip();
  draw();
  pen.restore();
}

function line(pen: Pen, x1: number, y1: number, x2: number, y2: number): void {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function paintLane(pen: Pen, scene: Scene, lane: Lane, palette: Palette): void {
  const width = scene.right - scene.left;
  pen.fillStyle = palette.lane;
  pen.fillRect(scene.left, lane.top, width, lane.height);
  pen.textAlign = 'right';
  const ticks = lane.segment === 'arena' ? byteTicks(lane.bytes) : [];
  for (const bytes of ticks) {
    const y = Math.round(yOf(lane, bytes)) + 0.5;
    pen.strokeStyle = palette.grid;
    pen.lineWidth = 1;
    line(pen, scene.left, y, scene.right, y);
    pen.fillStyle = palette.faint;
    pen.fillText(bytes === 0 ? '0' : bytesText(bytes), scene.left - 8, y);
  }
  pen.fillStyle = palette.faint;
  if (lane.segment !== 'arena') {
    pen.fillText(lane.segment, scene.left - 8, lane.top + lane.height / 2);
    return;
  }
  pen.textAlign = 'left';
  const short = `arena of ${scene.phase.name}: address by step`;
  const long = `${short}; below, what stays, dark where a step touches it`;
  const fits = pen.measureText(long).width <= scene.right - scene.left;
  pen.fillText(fits ? long : short, scene.left, lane.top - 10);
}

const DIM = 0.38;

function isMarked(id: string, marks: Marks): boolean {
  return marks.selected === id || marks.highlighted.has(id) || (marks.found?.has(id) ?? false);
}

function anythingMarked(marks: Marks): boolean {
  return marks.selected !== null || marks.highlighted.size > 0 || marks.found !== null;
}

function alphaOf(id: string, marks: Marks): number {
  return anythingMarked(marks) && !isMarked(id, marks) ? DIM : 1;
}

function isFolded({ axis }: Scene, { begin, end }: BufferRecord): boolean {
  const fold = axis.foldAt(begin);
  return fold !== null && end <= fold.end;
}

/** Thousands of blocks as colour alone: one path for each colour. */
function paintDense(pen: Pen, scene: Scene, buffers: BufferRecord[], palette: Palette, marks: Marks): void {
  for (const alpha of anythingMarked(marks) ? [DIM, 1] : [1]) {
    const paths = Object.fromEntries(KINDS.map((kind) => [kind, new Path2D()])) as Record<Kind, Path2D>;
    for (const buffer of buffers) {
      if (alphaOf(buffer.id, marks) !== alpha) continue;
      const rect = arenaRect(scene, buffer);
      if (rect.x > scene.right || rect.x + rect.width < scene.left) continue;
      paths[buffer.kind].rect(rect.x, rect.y, Math.max(0.6, rect.width), Math.max(0.6, rect.height));
    }
    pen.globalAlpha = alpha;
    for (const kind of KINDS) {
      pen.fillStyle = palette.kind[kind];
      pen.fill(paths[kind]);
    }
  }
  pen.globalAlpha = 1;
}

/** A block in one colour for each op that writes it, so that a chain of ops in place shows as one block in parts. */
function paintBlock(pen: Pen, scene: Scene, buffer: BufferRecord, palette: Palette, marks: Marks): void {
  const rect = arenaRect(scene, buffer);
  if (rect.x > scene.right || rect.x + rect.width < scene.left) return;
  pen.globalAlpha = alphaOf(buffer.id, marks);
  const starts = partsOf(buffer);
  starts.forEach((part, i) => {
    const x = xOf(scene, part.step);
    const end = xOf(scene, starts[i + 1]?.step ?? buffer.end);
    pen.fillStyle = palette.kind[part.kind];
    pen.fillRect(x, rect.y, end - x, rect.height);
  });
  if (buffer.scratch) hatch(pen, rect, palette.edge);
  paintPadding(pen, scene, buffer, rect, palette);
  if (rect.height >= 3 && rect.width >= 2) {
    pen.strokeStyle = palette.edge;
    pen.lineWidth = 1;
    pen.strokeRect(rect.x + 0.5, rect.y + 0.5, rect.width - 1, rect.height - 1);
    for (const part of starts.slice(1)) {
      const x = Math.round(xOf(scene, part.step)) + 0.5;
      line(pen, x, rect.y, x, rect.y + rect.height);
    }
  }
  paintLabel(pen, scene, buffer, rect, starts);
  pen.globalAlpha = 1;
}

interface Part {
  step: number;
  kind: Kind;
  name: string;
}

/** One part for each step that writes the whole value again; writes of one step, or by a window, are one part. */
function partsOf(buffer: BufferRecord): Part[] {
  const parts: Part[] = [];
  for (const write of buffer.writes) {
    if (parts.at(-1)?.step === write.step) continue;
    const kind = buffer.scratch ? 'movement' : kindOf(write.op.op);
    parts.push({ step: write.step, kind, name: write.label });
  }
  if (parts.length === 0 || parts[0]!.step > buffer.begin)
    parts.unshift({ step: buffer.begin, kind: buffer.kind, name: buffer.label });
  return parts;
}

function hatch(pen: Pen, rect: Rect, colour: string): void {
  pen.save();
  pen.beginPath();
  pen.rect(rect.x, rect.y, rect.width, rect.height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = rect.x - rect.height; x < rect.x + rect.width; x += 6) {
    pen.moveTo(x, rect.y + rect.height);
    pen.lineTo(x + rect.height, rect.y);
  }
  pen.stroke();
  pen.restore();
}

function paintPadding(pen: Pen, scene: Scene, buffer: BufferRecord, rect: Rect, palette: Palette): void {
  const height = rect.height * (1 - scene.phase.bytes[buffer.index]! / Math.max(1, scene.phase.size[buffer.index]!));
  if (height < 2) return;
  hatch(pen, { x: rect.x, y: rect.y, width: Math.min(rect.width, scene.right - rect.x), height }, palette.edge);
}

const LABEL_INK = '#14171c'; // the blocks are light in both themes

function paintLabel(pen: Pen, scene: Scene, buffer: BufferRecord, rect: Rect, parts: Part[]): void {
  if (rect.height < 13) return;
  pen.fillStyle = LABEL_INK;
  pen.textAlign = 'left';
  parts.forEach((part, i) => {
    const begin = Math.max(scene.left, xOf(scene, part.step));
    const end = Math.min(scene.right, xOf(scene, parts[i + 1]?.step ?? buffer.end));
    const room = end - begin - 10;
    if (room < 7) return;
    const text = fitted(pen, part.name, room);
    if (text) pen.fillText(text, begin + 6, rect.y + Math.min(rect.height / 2, 12));
  });
}

function fitted(pen: Pen, text: string, room: number): string {
  if (pen.measureText(text).width <= room) return text;
  for (let n = text.length - 1; n >= 2; n--) {
    const short = `${text.slice(0, n)}…`;
    if (pen.measureText(short).width <= room) return short;
  }
  return '';
}

function paintResident(pen: Pen, scene: Scene, lane: Lane, palette: Palette, marks: Marks): void {
  const { residentOffset: offset, residentSize: size } = scene.phase;
  const dense = pixelsAStep(scene) < DENSE;
  pen.globalAlpha = 0.14;
  pen.fillStyle = palette.faint;
  pen.fillRect(scene.left, lane.top, scene.right - scene.left, lane.height);
  lane.buffers.forEach((buffer, i) => {
    const y = yOf(lane, offset[buffer.index]! + size[buffer.index]!);
    const height = Math.max(1, yOf(lane, offset[buffer.index]!) - y);
    const marked = isMarked(buffer.id, marks);
    if (marked || (i % 2 && height >= 3)) {
      pen.globalAlpha = marked ? 0.4 : 0.12;
      pen.fillStyle = marked ? palette.accent : palette.faint;
      pen.fillRect(scene.left, y, scene.right - scene.left, height);
    }
    pen.globalAlpha = marked ? 0.9 : dense ? 0.45 : 0.7;
    pen.fillStyle = marked ? palette.accent : palette.faint;
    for (const step of buffer.uses) {
      const x = xOf(scene, step);
      if (x > scene.right) break;
      pen.fillRect(x, y, Math.max(1.5, xOf(scene, step + 1) - x - 0.5), Math.max(1.5, height));
    }
  });
  pen.globalAlpha = 1;
}

function outline(pen: Pen, rect: Rect, colour: string, width: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.strokeRect(rect.x, rect.y, Math.max(2, rect.width), Math.max(2, rect.height));
}

function paintOutlines(pen: Pen, scene: Scene, palette: Palette, marks: Marks): void {
  const ids = new Set([...marks.highlighted, ...(marks.found && marks.found.size <= 400 ? marks.found : [])]);
  if (marks.selected !== null) ids.add(marks.selected);
  for (const id of ids) {
    const buffer = scene.phase.arenaById.get(id);
    if (buffer) outline(pen, arenaRect(scene, buffer), palette.accent, marks.selected === id ? 2.5 : 1.5);
  }
}

function paintFolds(pen: Pen, scene: Scene, palette: Palette): void {
  const bottom = scene.lanes[scene.lanes.length - 1]!;
  for (const { begin, end } of scene.axis.folds) {
    const x = xOf(scene, begin);
    pen.globalAlpha = 0.72;
    pen.fillStyle = palette.lane;
    pen.fillRect(x, scene.arena.top, xOf(scene, end) - x, bottom.top + bottom.height - scene.arena.top);
    pen.globalAlpha = 1;
  }
}

function paintLive(pen: Pen, scene: Scene, palette: Palette): void {
  pen.strokeStyle = palette.ink;
  pen.lineWidth = 1.5;
  pen.lineJoin = 'round';
  pen.beginPath();
  let drawn = false; // the line goes on; it is broken where layers are folded
  scene.phase.live.forEach((bytes, step) => {
    const y = yOf(scene.arena, bytes);
    const folded = scene.axis.foldAt(step) !== null;
    if (!folded && !drawn) pen.moveTo(xOf(scene, step), y);
    drawn = !folded;
    if (folded) return;
    pen.lineTo(xOf(scene, step), y);
    pen.lineTo(xOf(scene, step + 1), y);
  });
  pen.stroke();
}

/** Where a step is no wider than a line: the band between the least and the most that is alive in each pixel. */
function paintLiveArea(pen: Pen, scene: Scene, palette: Palette): void {
  const columns = Math.ceil(scene.right - scene.left);
  const least = new Float64Array(columns).fill(Infinity);
  const most = new Float64Array(columns).fill(-1);
  scene.phase.live.forEach((bytes, step) => {
    const from = Math.max(0, Math.floor(xOf(scene, step) - scene.left));
    const to = Math.min(columns - 1, Math.floor(xOf(scene, step + 1) - scene.left));
    for (let i = from; i <= to; i++) {
      if (bytes < least[i]!) least[i] = bytes;
      if (bytes > most[i]!) most[i] = bytes;
    }
  });
  pen.fillStyle = palette.ink;
  for (let i = 0; i < columns; i++) {
    if (most[i]! < 0) continue;
    const top = yOf(scene.arena, most[i]!);
    const height = yOf(scene.arena, least[i]!) - top;
    pen.globalAlpha = 0.22;
    pen.fillRect(scene.left + i, top, 1, height);
    pen.globalAlpha = 0.9;
    pen.fillRect(scene.left + i, top - 0.5, 1, 1.25);
  }
  pen.globalAlpha = 1;
}

function paintOverBudget(pen: Pen, scene: Scene, palette: Palette): void {
  const { room, arena, phase } = scene;
  if (!room || room.bytes >= phase.arena) return;
  const top = yOf(arena, phase.arena);
  const bottom = yOf(arena, Math.max(0, room.bytes));
  pen.globalAlpha = 0.5;
  hatch(pen, { x: scene.left, y: top, width: scene.right - scene.left, height: bottom - top }, palette.bad);
  pen.globalAlpha = 1;
}

function level(pen: Pen, scene: Scene, bytes: number, colour: string, dash: number[]): number {
  const y = yOf(scene.arena, bytes);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.setLineDash(dash);
  line(pen, scene.left, y, scene.right, y);
  pen.setLineDash([]);
  return y;
}

function paintLimits(pen: Pen, scene: Scene, palette: Palette): void {
  const { arena, lowerBound } = scene.phase;
  if (arena === 0) return;
  const right = scene.right - 4;
  pen.textAlign = 'right';
  const peak = level(pen, scene, arena, palette.peak, []);
  const meets = arena - lowerBound < 0.005 * arena;
  const bound = level(pen, scene, lowerBound, palette.bound, [5, 4]);
  const { room } = scene;
  if (room && room.bytes <= 0) {
    pen.textAlign = 'left';
    tag(pen, `${room.budget} leaves no room`, scene.left + 6, peak + 12, palette.bad, palette.paper);
    pen.textAlign = 'right';
  }
  if (room && room.bytes > 0 && room.bytes <= scene.arena.bytes) {
    const y = level(pen, scene, room.bytes, palette.bad, [2, 3]);
    pen.textAlign = 'left';
    const over = `${room.budget} leaves ${bytesText(room.bytes)}`;
    tag(pen, over, scene.left + 6, room.bytes < arena ? y + 10 : y - 9, palette.bad, palette.paper);
    pen.textAlign = 'right';
  }
  tag(pen, meets ? `peak ${bytesText(arena)} = lower bound` : `peak ${bytesText(arena)}`, right, peak - 9, palette.peak, palette.paper);
  if (!meets) tag(pen, `lower bound ${bytesText(lowerBound)}`, right, bound + 10, palette.bound, palette.paper);
}

/** Text on a patch of paper, aligned as the pen is. */
function tag(pen: Pen, text: string, x: number, y: number, ink: string, paper: string): void {
  const width = pen.measureText(text).width;
  pen.globalAlpha = 0.85;
  pen.fillStyle = paper;
  pen.fillRect((pen.textAlign === 'right' ? x - width : x) - 4, y - 7, width + 8, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = ink;
  pen.fillText(text, x, y);
}

function paintSteps(pen: Pen, scene: Scene, palette: Palette): void {
  const y = (scene.layers ?? scene.height) - 18;
  const wide = pixelsAStep(scene) >= 58;
  pen.fillStyle = palette.faint;
  pen.textAlign = wide ? 'center' : 'left';
  for (const step of stepTicks(scene, 58)) {
    const op = scene.phase.ops[step];
    const x = xOf(scene, step);
    if (!op || x < scene.left - 1 || x > scene.right) continue;
    pen.strokeStyle = palette.grid;
    pen.lineWidth = 1;
    line(pen, Math.round(x) + 0.5, y - 10, Math.round(x) + 0.5, y - 6);
    if (wide) pen.fillText(fitted(pen, op.op, xOf(scene, step + 1) - x - 6), xOf(scene, step + 0.5), y);
    else pen.fillText(String(step), x, y);
  }
}

/** The rounds of loops: bands with their numbers, folds with how many they stand for. */
function paintLayers(pen: Pen, scene: Scene, palette: Palette): void {
  if (scene.layers === null) return;
  const y = scene.layers + 9;
  const loops = [...new Set(scene.phase.sections.map((section) => section.loop))].filter(Boolean);
  pen.textAlign = 'right';
  pen.fillStyle = palette.faint;
  pen.fillText(fitted(pen, `round of ${loops.join(', ')}`, scene.left - 10), scene.left - 8, y);
  pen.textAlign = 'center';
  const bands = scene.phase.sections
    .filter((section) => section.loop && !scene.axis.foldAt(section.begin))
    .map(({ begin, end, round }) => ({ begin, end, text: String(round), round, strong: false }));
  const folds = scene.axis.folds.map(({ begin, end, rounds }) => ({ begin, end, text: `+${rounds}`, round: 0, strong: true }));
  const shown = [...bands, ...folds].flatMap((one) => {
    const x = Math.max(scene.left, xOf(scene, one.begin));
    const right = Math.min(scene.right, xOf(scene, one.end));
    return right - x < 1 ? [] : [{ ...one, x, right }];
  });
  for (const { x, right, strong } of shown) {
    pen.fillStyle = strong ? palette.grid : palette.lane;
    pen.fillRect(x + 0.5, y - 8, right - x - 1, 16);
  }
  const apart = labelsApart(pen, shown.filter((one) => !one.strong));
  for (const { x, right, text, round, strong } of shown) {
    if (strong ? pen.measureText(text).width > right - x : round % apart) continue;
    pen.fillStyle = strong ? palette.ink : palette.faint;
    pen.fillText(text, (x + right) / 2, y);
  }
}

/** Every how many rounds one is labelled, so that numbers stand apart. */
function labelsApart(pen: Pen, bands: { x: number; right: number; text: string }[]): number {
  const widest = Math.max(0, ...bands.map((band) => pen.measureText(band.text).width)) + 6;
  const narrowest = Math.max(1, Math.min(...bands.slice(1, -1).map((band) => band.right - band.x), widest));
  return [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => n * narrowest >= widest) ?? 1000;
}

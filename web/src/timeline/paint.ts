// Draws a scene: blocks at their addresses, the live, peak and lower-bound lines, and the axes.
import { bytesText } from '../base/numbers';
import { kindOf } from '../plan/kinds';
import type { ArenaBuffer } from '../plan/model';
import type { Palette } from './palette';
import { type Lane, type Rect, type Scene, arenaRect, byteTicks, stepTicks, xOf, yOf } from './scene';

export interface Marks {
  selected: string | null; // id of a buffer, arena or resident
  highlighted: ReadonlySet<string>; // by the editor's line
  hovered: string | null;
  step: number | null;
}

type Pen = CanvasRenderingContext2D;

export function paint(pen: Pen, scene: Scene, palette: Palette, marks: Marks): void {
  pen.fillStyle = palette.paper;
  pen.fillRect(0, 0, scene.width, scene.height);
  pen.font = palette.font;
  pen.textBaseline = 'middle';
  for (const lane of scene.lanes) paintLane(pen, scene, lane, palette);
  clipped(pen, scene, () => {
    for (const lane of scene.lanes.slice(1)) paintResident(pen, scene, lane, palette, marks);
    for (const buffer of scene.phase.buffers) paintBlock(pen, scene, buffer, palette, marks);
    paintOutline(pen, scene, palette, marks);
    paintLive(pen, scene, palette);
  });
  paintLimits(pen, scene, palette);
  paintSteps(pen, scene, palette, marks);
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
  return marks.selected === id || marks.highlighted.has(id);
}

function anythingMarked(marks: Marks): boolean {
  return marks.selected !== null || marks.highlighted.size > 0;
}

/** A block in one colour for each op that writes it, so that a chain of ops in place shows as one block in parts. */
function paintBlock(pen: Pen, scene: Scene, buffer: ArenaBuffer, palette: Palette, marks: Marks): void {
  const rect = arenaRect(scene, buffer);
  if (rect.x > scene.right || rect.x + rect.width < scene.left) return;
  pen.globalAlpha = anythingMarked(marks) && !isMarked(buffer.id, marks) ? DIM : 1;
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
  kind: ReturnType<typeof kindOf>;
  name: string;
}

/** One part for each step that writes the whole value again; writes of one step, or by a window, are one part. */
function partsOf(buffer: ArenaBuffer): Part[] {
  const parts: Part[] = [];
  for (const write of buffer.writes) {
    if (parts.at(-1)?.step === write.step) continue;
    const kind = buffer.scratch ? 'movement' : kindOf(write.op.op);
    parts.push({ step: write.step, kind, name: lastName(write.value?.id ?? buffer.id) });
  }
  if (parts.length === 0 || parts[0]!.step > buffer.begin)
    parts.unshift({ step: buffer.begin, kind: buffer.kind, name: lastName(buffer.id) });
  return parts;
}

function lastName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
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

function paintPadding(pen: Pen, scene: Scene, buffer: ArenaBuffer, rect: Rect, palette: Palette): void {
  const height = rect.height * (1 - buffer.bytes / Math.max(1, buffer.size));
  if (height < 2) return;
  hatch(pen, { x: rect.x, y: rect.y, width: Math.min(rect.width, scene.right - rect.x), height }, palette.edge);
}

const LABEL_INK = '#14171c'; // the blocks are light in both themes

function paintLabel(pen: Pen, scene: Scene, buffer: ArenaBuffer, rect: Rect, parts: Part[]): void {
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
  pen.globalAlpha = 0.14;
  pen.fillStyle = palette.faint;
  pen.fillRect(scene.left, lane.top, scene.right - scene.left, lane.height);
  lane.buffers.forEach((buffer, i) => {
    const y = yOf(lane, buffer.offset + buffer.size);
    const height = Math.max(1, yOf(lane, buffer.offset) - y);
    const marked = isMarked(buffer.id, marks) || marks.hovered === buffer.id;
    if (marked || (i % 2 && height >= 3)) {
      pen.globalAlpha = marked ? 0.4 : 0.12;
      pen.fillStyle = marked ? palette.accent : palette.faint;
      pen.fillRect(scene.left, y, scene.right - scene.left, height);
    }
    pen.globalAlpha = 0.8;
    pen.fillStyle = marked ? palette.accent : palette.ink;
    for (const step of buffer.uses) {
      const x = xOf(scene, step);
      pen.fillRect(x, y, Math.max(1.5, xOf(scene, step + 1) - x - 0.5), Math.max(1.5, height));
    }
  });
  pen.globalAlpha = 1;
}

function paintOutline(pen: Pen, scene: Scene, palette: Palette, marks: Marks): void {
  for (const buffer of scene.phase.buffers) {
    const strong = marks.selected === buffer.id;
    if (!strong && marks.hovered !== buffer.id && !marks.highlighted.has(buffer.id)) continue;
    const rect = arenaRect(scene, buffer);
    pen.strokeStyle = strong || marks.highlighted.has(buffer.id) ? palette.accent : palette.ink;
    pen.lineWidth = strong ? 2.5 : 1.5;
    pen.strokeRect(rect.x, rect.y, Math.max(2, rect.width), Math.max(2, rect.height));
  }
}

function paintLive(pen: Pen, scene: Scene, palette: Palette): void {
  pen.strokeStyle = palette.ink;
  pen.lineWidth = (scene.right - scene.left) / (scene.view.to - scene.view.from) < 5 ? 1 : 1.5;
  pen.lineJoin = 'round';
  pen.beginPath();
  scene.phase.live.forEach((bytes, step) => {
    const y = yOf(scene.arena, bytes);
    if (step === 0) pen.moveTo(xOf(scene, 0), y);
    pen.lineTo(xOf(scene, step), y);
    pen.lineTo(xOf(scene, step + 1), y);
  });
  pen.stroke();
}

function paintLimits(pen: Pen, scene: Scene, palette: Palette): void {
  const { arena, lowerBound } = scene.phase;
  if (arena === 0) return;
  const peak = yOf(scene.arena, arena);
  pen.strokeStyle = palette.peak;
  pen.lineWidth = 1.5;
  line(pen, scene.left, peak, scene.right, peak);
  pen.textAlign = 'right';
  const meets = arena - lowerBound < 0.005 * arena;
  const text = meets ? `peak ${bytesText(arena)} = lower bound` : `peak ${bytesText(arena)}`;
  tag(pen, text, scene.right - 4, peak - 9, palette.peak, palette.paper);
  const bound = yOf(scene.arena, lowerBound);
  pen.strokeStyle = palette.bound;
  pen.setLineDash([5, 4]);
  line(pen, scene.left, bound, scene.right, bound);
  pen.setLineDash([]);
  if (!meets) tag(pen, `lower bound ${bytesText(lowerBound)}`, scene.right - 4, bound + 10, palette.bound, palette.paper);
}

/** Right-aligned text on a patch of paper. */
function tag(pen: Pen, text: string, right: number, y: number, ink: string, paper: string): void {
  const width = pen.measureText(text).width;
  pen.globalAlpha = 0.85;
  pen.fillStyle = paper;
  pen.fillRect(right - width - 4, y - 7, width + 8, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = ink;
  pen.fillText(text, right, y);
}

function paintSteps(pen: Pen, scene: Scene, palette: Palette, marks: Marks): void {
  const y = scene.height - 18;
  const wide = (scene.right - scene.left) / (scene.view.to - scene.view.from) >= 58;
  pen.fillStyle = palette.faint;
  pen.textAlign = wide ? 'center' : 'left';
  for (const step of stepTicks(scene, 58)) {
    const op = scene.phase.ops[step];
    if (!op) continue;
    const x = xOf(scene, step);
    pen.strokeStyle = palette.grid;
    pen.lineWidth = 1;
    line(pen, Math.round(x) + 0.5, y - 10, Math.round(x) + 0.5, y - 6);
    if (wide) pen.fillText(fitted(pen, op.op, xOf(scene, step + 1) - x - 6), xOf(scene, step + 0.5), y);
    else pen.fillText(String(step), x, y);
  }
  if (marks.step === null) return;
  const bottom = scene.lanes[scene.lanes.length - 1]!;
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 1;
  const x = Math.round(xOf(scene, marks.step + 0.5)) + 0.5;
  if (x < scene.left || x > scene.right) return;
  pen.globalAlpha = 0.6;
  line(pen, x, scene.arena.top, x, bottom.top + bottom.height);
  pen.globalAlpha = 1;
}

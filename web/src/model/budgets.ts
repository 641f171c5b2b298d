// What budgets say of a plan at the sizes that are looked at.
import { type Budget, type Outline, SEGMENTS, type Segments } from './plan';

/** The bytes that a budget counts; none of one over dims. */
export function usedBy(budget: Budget, segments: Segments): number | null {
  const { counts } = budget;
  return counts ? SEGMENTS.reduce((sum, name) => sum + counts[name] * segments[name], 0) : null;
}

export function total(segments: Segments): number {
  return SEGMENTS.reduce((sum, name) => sum + segments[name], 0);
}

/** The budget over all memory that a phase must keep, the tightest of several. */
export function memoryBudget(outline: Outline, phase: string): Budget | null {
  const wholes = outline.budget.filter(
    (one) => one.limit_bytes !== undefined && SEGMENTS.every((name) => one.counts?.[name] === 1) && (!one.phase || one.phase === phase),
  );
  return wholes.reduce<Budget | null>((best, one) => (best && best.limit_bytes! <= one.limit_bytes! ? best : one), null);
}

/** What a budget leaves to the arena once all else that it counts is taken: the tightest of those that count the arena. */
export function roomForArena(outline: Outline, phase: string, segments: Segments): { bytes: number; budget: string } | null {
  const rooms = outline.budget.flatMap((budget) => {
    const { counts, limit_bytes: limit } = budget;
    if (!counts?.arena || limit === undefined || (budget.phase && budget.phase !== phase)) return [];
    const others = SEGMENTS.reduce((sum, name) => (name === 'arena' ? sum : sum + counts[name] * segments[name]), 0);
    return [{ bytes: (limit - others) / counts.arena, budget: budget.expr }];
  });
  return rooms.reduce<{ bytes: number; budget: string } | null>((best, one) => (best && best.bytes <= one.bytes ? best : one), null);
}

export function sizesText(sizes: Record<string, number> | undefined): string {
  return Object.entries(sizes ?? {})
    .map(([name, n]) => `${name} ≤ ${n}`)
    .join(', ');
}

/** The largest value of a dim that every budget admits. */
export function largestSize(outline: Outline, name: string): number | null {
  const limits = outline.budget.flatMap((budget) => budget.max?.[name] ?? []);
  return limits.length ? Math.min(...limits) : null;
}

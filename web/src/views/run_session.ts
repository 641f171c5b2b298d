// A run as it is chosen, as it goes, and what came of it. It outlives its view: who looks at another tab finds it again.
import { signal } from '@preact/signals-core';
import type { NamedFile, RunNeed, RunProgress } from 'irplan/run';
import { RunClient, RunEnded } from '../compiler/run_client';
import type { PlanHandle } from '../compiler/pool';
import { type RunChoice, type ShownResult, newChoice, runRequest, withFiles } from '../model/run';
import { type PlanSession, type Sizes } from './session';

export type RunState =
  | { kind: 'idle' }
  | { kind: 'running'; need: RunNeed | null; progress: RunProgress | null }
  | { kind: 'done'; result: ShownResult }
  | { kind: 'ended'; why: string; fault: boolean };

export class RunSession {
  readonly choice = signal<RunChoice>(newChoice());
  readonly state = signal<RunState>({ kind: 'idle' });
  /** What the last result, or reason, is of. */
  #of: { plan: PlanHandle | null; phase: string; dims: string } | null = null;
  #session: PlanSession;
  #client = new RunClient();

  constructor(session: PlanSession) {
    this.#session = session;
  }

  change(part: Partial<RunChoice>): void {
    this.choice.value = { ...this.choice.value, ...part };
  }

  /** Files by their names; what is wrong with one is told where a run's end is told. */
  async take(files: File[], inputs: string[]): Promise<void> {
    const named: NamedFile[] = [];
    for (const file of files) named.push({ name: file.name, bytes: await file.arrayBuffer() });
    const next = withFiles(this.choice.value, named, inputs);
    if (typeof next === 'string') this.state.value = { kind: 'ended', why: next, fault: false };
    else {
      this.choice.value = next;
      if (this.state.value.kind === 'ended') this.state.value = { kind: 'idle' };
    }
  }

  async start(phase: string, dims: Sizes, inputs: string[]): Promise<void> {
    const choice = this.choice.value;
    this.state.value = { kind: 'running', need: null, progress: null };
    this.#of = { plan: this.#session.handle, phase, dims: JSON.stringify(dims) };
    try {
      const request = runRequest(await this.#session.text(), phase, dims, choice, inputs);
      if (typeof request === 'string') throw new RunEnded(request, true);
      const result = await this.#client.run(request, {
        need: (need) => (this.state.value = { kind: 'running', need, progress: null }),
        progress: (progress) => {
          const now = this.state.value;
          this.state.value = { kind: 'running', need: now.kind === 'running' ? now.need : null, progress };
        },
      });
      this.state.value = { kind: 'done', result };
    } catch (error) {
      const refused = error instanceof RunEnded && error.refused;
      const why = error instanceof Error ? error.message : String(error);
      this.state.value = why === CANCELLED ? { kind: 'idle' } : { kind: 'ended', why, fault: !refused };
    }
  }

  cancel(): void {
    this.#client.end(CANCELLED);
    this.state.value = { kind: 'idle' };
  }

  npy(name: string): Promise<Uint8Array> {
    return this.#client.npy(name);
  }

  /** Whether what is shown is of another plan, phase or sizes than those that are looked at. */
  old(phase: string, dims: Sizes): boolean {
    const of = this.#of;
    return of !== null && (of.plan !== this.#session.handle || of.phase !== phase || of.dims !== JSON.stringify(dims));
  }
}

const CANCELLED = 'cancelled';
const runs = new WeakMap<PlanSession, RunSession>();

export function runOf(session: PlanSession): RunSession {
  let run = runs.get(session);
  if (!run) runs.set(session, (run = new RunSession(session)));
  return run;
}

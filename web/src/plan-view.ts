// The right side: a plan's numbers, its timeline, its tables, and the proof that the command line gives the same bytes.
import type { BindReply } from 'irplan';
import { byId, h } from './base/dom';
import { tabs } from './base/tabs';
import { bytesText } from './base/numbers';
import { opsTable } from './panels/ops';
import { Sliders } from './panels/sliders';
import { summary } from './panels/summary';
import { KINDS, KIND_LABEL } from './plan/kinds';
import { type PhaseModel, type PlanModel, buffersOfLine, planModel } from './plan/model';
import type { Plan } from './plan/types';
import { bufferDetail } from './timeline/detail';
import { BufferTable } from './timeline/table';
import type { BufferSelected, Timeline } from './timeline/timeline';

export interface PlanEvents {
  /** The sizes of the sliders that stand elsewhere than in the plan. */
  sizes: (sizes: Record<string, number>) => void;
  /** Lines of the program that made what is chosen. */
  lines: (lines: number[]) => void;
  goToLine: (line: number) => void;
}

type View = 'memory' | 'table' | 'ops' | 'json';

export class PlanView {
  #events: PlanEvents;
  #model: PlanModel | null = null;
  #plan: Plan | null = null;
  #json = '';
  #phaseName = '';
  #selected: string | null = null;
  #view: View = 'memory';
  #timeline = byId<Timeline>('timeline');
  #sliders: Sliders;
  #table: BufferTable;
  #guards = h('div', { class: 'guards', role: 'status' });

  constructor(events: PlanEvents) {
    this.#events = events;
    this.#sliders = new Sliders(events.sizes);
    byId('sliders').append(this.#sliders.node, this.#guards);
    this.#table = new BufferTable((id) => this.#select(id, true));
    byId('panel-table').append(this.#table.node);
    const views: View[] = ['memory', 'table', 'ops', 'json'];
    tabs(views.map((view) => byId(`view-${view}`)), (id) => {
      this.#view = id.replace('view-', '') as View;
      for (const view of views) byId(`panel-${view}`).hidden = view !== this.#view;
      this.#showView();
    });
    this.#wireTimeline();
    byId('kinds').append(...legend());
  }

  /** A new plan with its numbers at `sizes`. */
  show(json: string, bound: BindReply, sizes: Record<string, number>): void {
    this.#json = json;
    this.#plan = JSON.parse(json) as Plan;
    byId('empty').hidden = true;
    byId('result').hidden = false;
    this.rebind(bound, sizes);
  }

  /** The same plan at other sizes. */
  rebind(bound: BindReply, sizes: Record<string, number>): void {
    if (!this.#plan) return;
    this.#model = planModel(this.#plan, bound);
    this.#sliders.show(this.#plan, sizes);
    byId('reset-sizes').hidden = Object.keys(sizes).length === 0;
    this.#showPhases();
    this.#refresh();
  }

  setStale(stale: boolean): void {
    byId('result').classList.toggle('stale', stale);
  }

  setProof(sha256: string, command: string): void {
    byId('sha').textContent = sha256;
    byId('sha').title = sha256;
    byId('command').textContent = command;
    byId('command').title = command;
  }

  get planJson(): string {
    return this.#json;
  }

  /** Marks what a line of the program makes. */
  highlightLine(line: number): void {
    const phase = this.#phase();
    this.#timeline.highlight(phase ? buffersOfLine(phase, line) : new Set());
  }

  #phase(): PhaseModel | null {
    const phases = this.#model?.phases ?? [];
    return phases.find((phase) => phase.name === this.#phaseName) ?? phases[0] ?? null;
  }

  #showPhases(): void {
    const phases = this.#model?.phases ?? [];
    if (!phases.some((phase) => phase.name === this.#phaseName)) this.#phaseName = largestPhase(phases);
    const radios = phases.map((phase) =>
      h(
        'button',
        {
          type: 'button',
          role: 'radio',
          'aria-checked': String(phase.name === this.#phaseName),
          onclick: () => {
            this.#phaseName = phase.name;
            this.#select(null, false);
            this.#showPhases();
            this.#refresh();
          },
        },
        `${phase.name} `,
        h('span', { class: 'soft' }, bytesText(phase.arena)),
      ),
    );
    byId('phases').replaceChildren(...(phases.length > 1 ? radios : []));
    byId('phases').hidden = phases.length < 2;
  }

  #refresh(): void {
    const phase = this.#phase();
    if (!this.#model || !phase) return;
    byId('summary').replaceChildren(...summary(this.#model, phase).filter((part) => part !== null));
    const guards = this.#model.plan.guards;
    const broken = phase.bound.broken_guards.map((i) => guards[i]?.expr ?? '');
    this.#guards.textContent = broken.length ? `These sizes break ${broken.join(', ')}: a run would be refused.` : '';
    this.#timeline.show(phase);
    this.#timeline.select(this.#selected);
    this.#showView();
  }

  /** The views that are costly are filled when they are looked at. */
  #showView(): void {
    const phase = this.#phase();
    if (!this.#model || !phase) return;
    if (this.#view === 'memory') this.#showDetail();
    if (this.#view === 'table') this.#table.show(phase);
    if (this.#view === 'ops') {
      const selectBufferOf = (step: number): void => this.#selectBufferOf(phase, step);
      byId('panel-ops').replaceChildren(opsTable(phase, { goToLine: this.#events.goToLine, selectBufferOf }));
    }
    if (this.#view === 'json') {
      byId('json').textContent = this.#json;
      byId('json-size').textContent = bytesText(new TextEncoder().encode(this.#json).length);
    }
  }

  #selectBufferOf(phase: PhaseModel, step: number): void {
    const buffer = phase.buffers.find((one) => one.writes.some((write) => write.step === step));
    if (!buffer) return;
    this.#select(buffer.id, true);
    byId('view-memory').click();
  }

  #select(id: string | null, tellEditor: boolean): void {
    this.#selected = id;
    this.#timeline.select(id);
    this.#table.select(id);
    this.#showDetail();
    if (!tellEditor) return;
    const writes = (id !== null && this.#phase()?.byId.get(id)?.writes) || [];
    this.#events.lines([...new Set(writes.map((write) => write.op.line))]);
  }

  #showDetail(): void {
    const phase = this.#phase();
    const chosen = this.#model && phase && this.#selected !== null;
    const actions = { goToLine: this.#events.goToLine, select: (id: string) => this.#select(id, true) };
    byId('detail').replaceChildren(...(chosen ? bufferDetail(this.#model!, phase!, this.#selected!, actions) : []));
  }

  #wireTimeline(): void {
    this.#timeline.addEventListener('bufferselect', (event) => {
      this.#select((event as CustomEvent<BufferSelected>).detail.id, true);
    });
    this.#timeline.addEventListener('gotosource', () => {
      const buffer = this.#selected === null ? undefined : this.#phase()?.byId.get(this.#selected);
      const line = buffer?.writes[0]?.op.line;
      if (line) this.#events.goToLine(line);
    });
    byId('to-peak').addEventListener('click', () => this.#timeline.goToPeak());
    byId('reset-sizes').addEventListener('click', () => this.#sliders.reset());
    byId('zoom-in').addEventListener('click', () => this.#timeline.zoom(1 / 1.6));
    byId('zoom-out').addEventListener('click', () => this.#timeline.zoom(1.6));
    byId('zoom-fit').addEventListener('click', () => this.#timeline.fit());
  }
}

function largestPhase(phases: PhaseModel[]): string {
  return phases.reduce<PhaseModel | null>((best, one) => (best && best.arena >= one.arena ? best : one), null)?.name ?? '';
}

function legend(): HTMLElement[] {
  const kinds = KINDS.map((kind) => h('span', {}, h('i', { class: `swatch kind-${kind}` }), KIND_LABEL[kind]));
  return [...kinds, h('span', {}, h('i', { class: 'line-key live' }), 'live bytes')];
}

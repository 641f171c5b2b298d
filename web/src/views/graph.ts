// <irplan-graph>: the ops of a phase and what they read of one another.
import { type PropertyDeclarations, type TemplateResult, html, nothing, svg } from 'lit';
import { Layout, type LayoutReply, type Point } from '../graph/layout';
import { type Graph, type GraphNode, graphOf } from '../graph/model';
import { foldsOf } from '../model/layers';
import type { PhaseRecords } from '../model/phase';
import { sheets } from '../parts/view';
import styles from '../styles/graph.css?inline';
import { Panel } from './panel';

const WIDTH = 132;
const HEIGHT = 36;
const MOST = 3000; // nodes that are laid out
const LEAST = 0.15; // scale
const READABLE = 0.7; // the least scale at which a graph is shown first
const ROOM = 19; // characters that a node has room for

interface Shown {
  of: object; // the records
  folded: boolean;
  graph: Graph;
  places: LayoutReply | null; // null: on its way
}

const shortened = (text: string): string => (text.length > ROOM ? `${text.slice(0, ROOM - 1)}…` : text);

function path(points: Point[]): string {
  return points.map(({ x, y }, i) => `${i ? 'L' : 'M'} ${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');
}

export class GraphView extends Panel {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = {
    ...Panel.properties,
    folded: { state: true },
    shown: { state: true },
    scale: { state: true },
    wrong: { state: true },
  };
  declare folded: boolean;
  declare shown: Shown | null;
  declare scale: number;
  declare wrong: string;
  #zoomed = false; // by hand: the scale stays
  #layout = new Layout();

  constructor() {
    super();
    this.folded = true;
    this.shown = null;
    this.scale = 1;
    this.wrong = '';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#layout.end();
  }

  async #lay(phase: PhaseRecords): Promise<void> {
    if (this.shown?.of === phase.ops && this.shown.folded === this.folded) return;
    const graph = graphOf(phase, this.folded);
    const shown: Shown = { of: phase.ops, folded: this.folded, graph, places: null };
    this.shown = shown;
    this.wrong = graph.nodes.length > MOST ? `${graph.nodes.length} ops are too many to be laid out; folded they are fewer` : '';
    if (this.wrong) return;
    try {
      const places = await this.#layout.lay({ count: graph.nodes.length, edges: graph.edges, width: WIDTH, height: HEIGHT });
      if (this.shown !== shown) return;
      this.shown = { ...shown, places };
      if (!this.#zoomed) this.#fit(READABLE);
    } catch (error) {
      this.wrong = error instanceof Error ? error.message : String(error);
    }
  }

  /** As wide as there is room for, but not smaller than `least`, nor larger than drawn. */
  #fit(least: number): void {
    const box = this.renderRoot.querySelector('.scroll');
    const places = this.shown?.places;
    if (!box || !places) return;
    this.scale = Math.min(1, Math.max(least, box.clientWidth / places.width));
    const first = (places.nodes[0]?.x ?? 0) * this.scale;
    void this.updateComplete.then(() => (box.scrollLeft = first - box.clientWidth / 2));
  }

  #choose(node: GraphNode): void {
    if (node.fold) {
      this.folded = false;
      return;
    }
    const phase = this.session.phase.value;
    const place = node.op?.outs[0]?.place;
    const buffer = place === undefined || !phase ? undefined : place >= 0 ? phase.buffers[place] : phase.resident[-1 - place];
    if (buffer) this.session.select(buffer.id);
  }

  #key(event: KeyboardEvent, node: GraphNode): void {
    if (event.key === 'Enter' || event.key === ' ') this.#choose(node);
    else if (event.key === 'Escape') this.session.select(null);
    else {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      this.renderRoot.querySelector<SVGElement>(`[data-node="${node.id + by}"]`)?.focus();
    }
    event.preventDefault();
  }

  #isChosen(node: GraphNode, phase: PhaseRecords, id: string | null): boolean {
    const writes = id === null ? undefined : phase.arenaById.get(id)?.writes;
    if (writes) return writes.some((write) => write.op === node.op);
    const uses = id === null ? undefined : phase.residentById.get(id)?.uses;
    return uses !== undefined && node.op !== null && uses.includes(node.op.step);
  }

  #node(node: GraphNode, { x, y }: Point, chosen: boolean): TemplateResult {
    return svg`<g class="node ${chosen ? 'chosen' : ''}" transform="translate(${x - WIDTH / 2} ${y - HEIGHT / 2})" data-node=${node.id}
      role="button" tabindex=${node.id === 0 || chosen ? 0 : -1} aria-label=${`${node.label} ${node.note}`}
      @click=${() => this.#choose(node)} @keydown=${(event: KeyboardEvent) => this.#key(event, node)}>
      <title>${node.op ? `${node.op.id}${node.op.line ? `, line ${node.op.line}` : ''}` : 'click to unfold'}</title>
      <rect class="kind-${node.kind} ${node.fold ? 'folded' : ''}" width=${WIDTH} height=${HEIGHT} rx="5"></rect>
      <text x=${WIDTH / 2} y="15">${shortened(node.label)}</text>
      <text class="note" x=${WIDTH / 2} y="28">${shortened(node.note)}</text>
    </g>`;
  }

  #drawing(phase: PhaseRecords, { graph }: Shown, places: LayoutReply): TemplateResult {
    const id = this.session.selected.value;
    const chosen = new Set(graph.nodes.filter((node) => this.#isChosen(node, phase, id)).map((node) => node.id));
    return html`<svg viewBox=${`0 0 ${places.width} ${places.height}`} width=${places.width * this.scale} height=${places.height * this.scale}
        role="group" aria-label=${`${graph.nodes.length} nodes, ${graph.edges.length} edges`}>
      ${graph.edges.map(([from, to], i) => svg`<path class=${chosen.has(from) || chosen.has(to) ? 'edge near' : 'edge'} d=${path(places.edges[i]!)}></path>`)}
      ${graph.nodes.map((node) => this.#node(node, places.nodes[node.id]!, chosen.has(node.id)))}
    </svg>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    const phase = this.session.phase.value;
    if (!phase) return nothing;
    void this.#lay(phase);
    const { shown } = this;
    const places = shown?.of === phase.ops ? shown.places : null;
    const zoom = (factor: number) => () => {
      this.#zoomed = true;
      this.scale = Math.min(3, Math.max(LEAST, this.scale * factor));
    };
    const fit = (): void => {
      this.#zoomed = false;
      this.#fit(LEAST);
    };
    const canFold = foldsOf(phase.sections).length > 0;
    return html`<div class="tools">
        <span class="soft" role="status">${shown ? `${shown.graph.nodes.length} nodes, ${shown.graph.edges.length} edges` : ''}${!places && !this.wrong ? ', laying them out' : ''}</span>
        <span class="spring"></span>
        ${canFold ? html`<button type="button" class="quiet" aria-pressed=${this.folded} @click=${() => (this.folded = !this.folded)}>Fold layers</button>` : nothing}
        <button type="button" class="quiet" aria-label="zoom out" @click=${zoom(1 / 1.3)}>−</button>
        <button type="button" class="quiet" aria-label="zoom in" @click=${zoom(1.3)}>+</button>
        <button type="button" class="quiet" title="all of the width" @click=${fit}>Fit</button>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Graph of phase ${phase.name}`}>
        ${this.wrong ? html`<p class="soft">${this.wrong}</p>` : nothing} ${shown && places ? this.#drawing(phase, shown, places) : nothing}
      </div>`;
  }
}

customElements.define('irplan-graph', GraphView);

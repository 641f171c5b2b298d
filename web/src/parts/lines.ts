// <irplan-lines>: text of any length, of which the lines in sight are drawn; all lines are equally high.
import { type PropertyDeclarations, type TemplateResult, html } from 'lit';
import styles from '../styles/lines.css?inline';
import { View, sheets } from './view';
import { styled } from './styled';

const HEIGHT = 19; // px
const BEYOND = 10; // lines drawn above and below those in sight

export class Lines extends View {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = {
    count: { attribute: false },
    line: { attribute: false },
    marked: { attribute: false },
    label: { attribute: false },
    from: { state: true },
  };
  declare count: number;
  declare line: (row: number) => unknown;
  declare marked: number | null;
  declare label: string;
  declare from: number;
  #size = new ResizeObserver(() => this.requestUpdate());

  constructor() {
    super();
    this.count = 0;
    this.line = () => '';
    this.marked = null;
    this.label = '';
    this.from = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#size.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#size.disconnect();
  }

  /** Brings a row into sight, once it is there. */
  async reveal(row: number): Promise<void> {
    await this.updateComplete;
    const box = this.renderRoot.querySelector('.scroll');
    if (box) box.scrollTop = Math.max(0, row * HEIGHT - box.clientHeight / 3);
  }

  protected override render(): TemplateResult {
    const inSight = Math.ceil((this.clientHeight || 600) / HEIGHT);
    const first = Math.max(0, Math.min(this.from, this.count - inSight) - BEYOND);
    const last = Math.min(this.count, first + inSight + 2 * BEYOND);
    const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) => {
      const row = first + i;
      return html`<div class="row ${row === this.marked ? 'marked' : ''}">${this.line(row)}</div>`;
    });
    const scrolled = (event: Event): void => {
      this.from = Math.floor((event.currentTarget as HTMLElement).scrollTop / HEIGHT);
    };
    return html`<div class="scroll mono" tabindex="0" role="region" aria-label=${this.label} @scroll=${scrolled}>
      <div class="all" ${styled({ height: `${this.count * HEIGHT}px` })}>
        <div class="rows" ${styled({ transform: `translateY(${first * HEIGHT}px)` })}>${rows}</div>
      </div>
    </div>`;
  }
}

customElements.define('irplan-lines', Lines);

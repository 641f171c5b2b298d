// <irplan-run-output>: the numbers of one output: what they are like, how they are spread, and the first of them.
import { type PropertyDeclarations, type TemplateResult, html, nothing, svg } from 'lit';
import { grouped } from '../model/numbers';
import { type ShownOutput, placeOf, valueText } from '../model/run';
import { download } from '../parts/dom';
import '../parts/table';
import type { Column } from '../parts/table';
import { View, sheets } from '../parts/view';
import styles from '../styles/run_output.css?inline';

const WIDTH = 384;
const HEIGHT = 120;
const FOOT = 18; // for the numbers at both ends

/** Equal parts from the least to the largest number, as bars. */
function histogramChart({ statistics, histogram }: ShownOutput): TemplateResult {
  const { least, largest } = statistics;
  const most = Math.max(1, ...histogram);
  const peak = histogram.indexOf(most);
  const part = (largest - least) / histogram.length;
  const step = WIDTH / histogram.length;
  const range = (i: number): string => `${valueText(least + i * part)} to ${valueText(least + (i + 1) * part)}`;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT + FOOT}" width=${WIDTH} height=${HEIGHT + FOOT} role="img"
    aria-label=${`histogram of ${histogram.length} parts; the most numbers, ${most}, lie from ${range(peak)}`}>
    ${histogram.map((count, i) => {
      const height = count === 0 ? 0 : Math.max(1, (count / most) * (HEIGHT - 6));
      return svg`<rect class="bar" x=${i * step} y=${HEIGHT - height} width=${Math.max(1, step - 1)} height=${height}><title>${`${count} from ${range(i)}`}</title></rect>`;
    })}
    <path class="axis" d=${`M 0 ${HEIGHT} H ${WIDTH}`}></path>
    <text x="0" y=${HEIGHT + 14}>${valueText(least)}</text>
    <text x=${WIDTH} y=${HEIGHT + 14} text-anchor="end">${valueText(largest)}</text>
  </svg>`;
}

export class RunOutputView extends View {
  static override styles = sheets(styles);
  static override properties: PropertyDeclarations = { output: { attribute: false }, save: { attribute: false } };
  declare output: ShownOutput;
  declare save: (name: string) => Promise<Uint8Array>;

  #statistics({ statistics: of }: ShownOutput): TemplateResult {
    const rows: [string, string, boolean][] = [
      ['numbers', grouped(of.count), true],
      ['NaN', grouped(of.nan), of.nan > 0],
      ['infinite', grouped(of.infinite), of.infinite > 0],
      ['least', valueText(of.least), of.count > of.nan + of.infinite],
      ['largest', valueText(of.largest), of.count > of.nan + of.infinite],
      ['mean', valueText(of.mean), of.count > of.nan + of.infinite],
      ['deviation', valueText(of.deviation), of.count > of.nan + of.infinite],
    ];
    return html`<dl class="facts">${rows.map(([name, text, shown]) => (shown || name === 'NaN' ? html`<div><dt>${name}</dt><dd class="num ${name === 'NaN' && of.nan ? 'bad' : ''}">${text}</dd></div>` : nothing))}</dl>`;
  }

  async #download(): Promise<void> {
    const bytes = await this.save(this.output.name);
    download(`${this.output.name}.npy`, new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }));
  }

  protected override render(): TemplateResult {
    const { output } = this;
    const { name, dtype, shape, values, statistics } = output;
    const columns: Column[] = [
      { name: 'at', code: true, key: (row) => row, cell: (row) => placeOf(row, shape) },
      { name: 'value', numeric: true, key: (row) => (Number.isNaN(values[row]) ? -Infinity : values[row]!), cell: (row) => valueText(values[row]!) },
    ];
    const finite = statistics.count - statistics.nan - statistics.infinite;
    const rest = statistics.count > values.length ? `the first ${grouped(values.length)} of ${grouped(statistics.count)}; the file has all` : '';
    return html`<div class="head">
        <h3>${name} <span class="mono soft">${dtype}[${shape.join(', ')}]</span></h3>
        <span class="spring"></span>
        <button type="button" class="quiet" @click=${() => void this.#download()}>Download ${name}.npy</button>
      </div>
      <div class="sides">
        <div>
          ${this.#statistics(output)}
          ${finite > 0 ? html`<figure>${histogramChart(output)}</figure>` : html`<p class="soft">no finite number, and so no histogram</p>`}
        </div>
        <div class="values">
          ${rest ? html`<p class="soft note">${rest}</p>` : nothing}
          <irplan-table .columns=${columns} .rows=${Array.from(values, (_, i) => i)} .chosen=${null} .caption=${`Values of ${name}`}></irplan-table>
        </div>
      </div>`;
  }
}

customElements.define('irplan-run-output', RunOutputView);

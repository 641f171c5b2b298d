// What the page is, its keys, and the language in a minute.
import { type TemplateResult, html } from 'lit';
import { Dialog } from '../parts/dialog';
import { codeSpans } from '../parts/text';

const KEYS: [string, [string, string][]][] = [
  ['Everywhere', [['?', 'this help, where nothing is typed'], ['Ctrl S', 'a link to what is shown']]],
  [
    'Editor',
    [
      ['Ctrl Space', 'complete'],
      ['Ctrl K Ctrl I', 'what is under the cursor: shape, bytes, buffer, kernel'],
      ['Ctrl Shift Space', 'the arguments of this call'],
      ['F12', 'where the name is bound'],
      ['Shift F12', 'where it is used'],
      ['F2', 'rename it everywhere'],
      ['Ctrl Shift O', 'names of the program'],
      ['Ctrl .', 'fix what is wrong here'],
      ['F8', 'next problem'],
      ['Shift Alt F', 'format'],
      ['F1', 'all commands'],
      ['Ctrl M', 'Tab moves on instead of indenting'],
    ],
  ],
  [
    'Timeline',
    [
      ['← →', 'buffers by time'],
      ['↑ ↓', 'buffers by address'],
      ['[ ]', 'steps'],
      ['+ − 0', 'zoom, show all; also Ctrl and the wheel'],
      ['P', 'to the peak'],
      ['F', 'fold layers that are alike'],
      ['Enter', 'to the source'],
      ['Esc', 'choose nothing'],
    ],
  ],
  ['Search fields', [['Enter', 'the next that was found'], ['Esc', 'search nothing']]],
];

const LANGUAGE: [string, string][] = [
  ['let D = config.hidden_size ?? 64', 'a compile-time value; `--let D=128` replaces it'],
  ['dim B in 1..64', 'a size that is known when a step runs'],
  ['dim P[B] in 0..C', 'one size for each row of `B`'],
  ['phase decode { S = 1 }', 'one plan for each phase, sharing weights and states'],
  ['input tokens: i32[B, S]', 'what a step is given'],
  ['param bf16[V, D] from "embed.weight"', 'a tensor of the checkpoint'],
  ['state bf16[B, C, H, K] from "k"', 'what is kept from step to step'],
  ['h = rmsnorm(x, w, eps=1e-5)', 'an operator; a name is bound once'],
  ['for i in n with h { … }', 'unrolled; `fn f(x) { … }` is inlined'],
  ['budget memory <= 24GiB', 'limits the sizes of a plan, or says what would help'],
];

function keys([title, rows]: [string, [string, string][]]): TemplateResult {
  return html`<section>
    <h3>${title}</h3>
    <dl class="keys">${rows.map(([key, what]) => html`<dt>${key.split(' ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${what}</dd>`)}</dl>
  </section>`;
}

export class Help {
  #dialog = new Dialog('help-dialog', 'Help');

  open(): void {
    this.#dialog.show(html`
      <p>
        IRPlanner plans the memory of a program of tensors, exactly and for every size in the declared ranges. The left side is the
        program and, for a model, its Hugging Face <code>config.json</code>. The right side is the plan that
        <code>irplan plan</code> writes, byte for byte. Nothing leaves this page: it works offline once it was loaded.
      </p>
      <p><b>What fits</b> takes a model's config alone: whether it fits a GPU, with how much context and how many sequences.</p>
      <p><b>Run</b>, a tab of the plan, runs it in this page at the sliders' sizes, on random numbers or on your own files.</p>
      <p>Move a slider to see the same plan at other sizes; options are the command line's. What you write is kept in this browser, each tab by itself.</p>
      <div class="columns">${KEYS.map(keys)}</div>
      <h3>The language in a minute</h3>
      <dl class="language">${LANGUAGE.map(([code, what]) => html`<dt><code>${code}</code></dt><dd>${codeSpans(what)}</dd>`)}</dl>
      <p class="soft">Hover over an operator in the editor for its operands, attributes and shapes.</p>
    `);
  }
}

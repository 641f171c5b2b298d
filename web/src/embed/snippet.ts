// A program that is edited and planned inside of another page: CodeMirror, the compiler, and the playground's views.
import type { Diagnostic } from 'irplan';
import { html, nothing, render } from 'lit';
import { CompilerStopped } from '../compiler/client';
import { Latest } from '../compiler/latest';
import { CompilerPool } from '../compiler/pool';
import { createEditor } from '../editor/codemirror';
import type { TextEditor } from '../editor/editor';
import { CompilerLanguage } from '../language/compiler';
import type { Answer, Ask } from '../language/service';
import { type Document, besideText, commandLine, compileRequest } from '../model/document';
import { encodeLink } from '../model/link';
import { withEdits } from '../model/text';
import { DEFAULT_TARGET, commandOptions, parseOptions } from '../model/options';
import { debounce, h, sheetOf } from '../parts/dom';
import base from '../styles/base.css?inline';
import controls from '../styles/controls.css?inline';
import styles from '../styles/embed.css?inline';
import tokens from '../styles/tokens.css?inline';
import '../views/plan';
import type { PlanPane } from '../views/plan';
import type { Problems } from '../views/problems';
import '../views/problems';
import { PlanSession } from '../views/session';

const QUIET_MS = 120; // after the last key

export interface EmbedDocument {
  file: string;
  text: string;
  /** Empty: none. */
  config: string;
  configName: string;
  /** As on the command line. */
  options: string;
  view: string;
  phase: string;
  sizes: Record<string, number>;
  /** Of the compiler that made the link that it comes from. */
  version?: string;
}

export interface EmbedResult {
  ok: boolean;
  diagnostics: Diagnostic[];
  /** Bytes of each phase's arena, by name. */
  arena: Record<string, number | null>;
  /** Of plan.json; null where there is none. */
  sha256: string | null;
  /** That gives the same plan.json. */
  command: string;
  /** Opens it in the playground. */
  link: string;
}

/** The tokens of a page's root, for a shadow root. */
const ownTokens = tokens.replaceAll(/:root(\[data-theme='(light|dark)'\])?/g, (_, chosen: string, theme: string) => (chosen ? `:host([theme='${theme}'])` : ':host'));

export class Snippet {
  #pool = new CompilerPool();
  #document: Document;
  #editor: TextEditor;
  #pane: PlanPane;
  #problems: Problems;
  #session: PlanSession;
  #head = h('header');
  #compiles = new Latest();
  #soon = debounce(() => QUIET_MS, () => this.#compile());
  #site: string;
  #version = '0';
  #tell: (result: EmbedResult) => void;
  #made: string | undefined; // by which version
  #result: EmbedResult | null = null;
  #status = 'loading the compiler';
  #language = new CompilerLanguage(
    async (question) => (await this.#pool.now.ask<'language'>({ method: 'language', question })) as Answer<Ask>,
    () => besideText(this.#document),
  );

  constructor(root: ShadowRoot, from: EmbedDocument, site: string, tell: (result: EmbedResult) => void) {
    this.#site = site;
    this.#tell = tell;
    this.#document = this.#read(from);
    this.#made = from.version;
    this.#session = new PlanSession({
      resized: (sizes) => (this.#document.sizes = sizes),
      markLines: (lines) => this.#editor.markLines(lines),
      goToLine: (line) => this.#editor.reveal(line, 1),
      takeChange: (change) => this.set({ options: `${commandOptions(this.#document.options)} ${change}` }),
      passes: () => this.#pool.later.ask<'passes'>({ method: 'passes', request: compileRequest(this.#document, false) }),
      lost: () => this.#compile(),
    });
    this.#session.look = { view: from.view, ...(from.phase ? { phase: from.phase } : {}) };
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, ...[ownTokens, base, controls, styles].map(sheetOf)];
    const source = h('div', { class: 'source' });
    this.#pane = h('irplan-plan' as 'div', { class: 'plan', hidden: true }) as unknown as PlanPane;
    this.#pane.short = true;
    this.#pane.session = this.#session;
    this.#problems = h('irplan-problems' as 'div') as unknown as Problems;
    const events = { change: () => this.#soon(), cursor: (line: number) => this.#session.highlightLine(line) };
    root.replaceChildren(h('div', { class: 'embed' }, this.#head, h('div', { class: 'left' }, source, this.#problems), this.#pane));
    this.#editor = createEditor(source, { program: this.#document.text, config: this.#document.config }, events, this.#language);
    this.#problems.actions = {
      reveal: (place) => this.#editor.reveal(place.line, place.column),
      apply: (diagnostic, fix) => this.#editor.change('program', withEdits(this.#editor.text('program'), diagnostic.fixes[fix]!.edits)),
      takeChange: (change) => this.#session.host.takeChange(change),
    };
    this.#pool.start().then(
      ({ version }) => {
        this.#version = version.version;
        this.#showHead();
      },
      (error: unknown) => this.#say(String(error)),
    );
    this.#showHead();
    this.#compile();
  }

  #read(from: EmbedDocument): Document {
    const { options } = parseOptions(from.options, DEFAULT_TARGET);
    return { file: from.file, text: from.text, config: from.config, configName: from.configName, options, sizes: from.sizes };
  }

  #compile(): void {
    this.#document.text = this.#editor.text('program');
    this.#compiles.run(async () => {
      try {
        const { compiled, plan } = await this.#pool.compile(compileRequest(this.#document, false), this.#pool.now);
        this.#problems.diagnostics = compiled.diagnostics;
        this.#editor.setDiagnostics({ program: compiled.diagnostics.filter((one) => one.file === this.#document.file), config: [] });
        this.#language.compiled();
        if (plan) await this.#session.open(plan, this.#document.sizes, compiled.refused);
        else this.#session.stale.value = true;
        this.#pane.hidden = this.#session.outline.value === null;
        const proof = plan && !compiled.refused ? await this.#session.proof() : null;
        this.#pane.proof = proof && { sha256: proof.sha256, command: commandLine(this.#document) };
        this.#conclude(compiled.ok, compiled.diagnostics, proof?.sha256 ?? null);
      } catch (error) {
        this.#say(error instanceof CompilerStopped ? `${error.message}; it was started again` : String(error));
      }
    });
  }

  #conclude(ok: boolean, diagnostics: Diagnostic[], sha256: string | null): void {
    const arena = Object.fromEntries(this.#session.totals.value.map((one) => [one.name, one.arena]));
    this.#result = { ok, diagnostics, arena, sha256, command: commandLine(this.#document), link: this.#link() };
    this.#say(ok ? '' : 'does not compile');
    this.#tell(this.#result);
  }

  #link(): string {
    return this.#site + encodeLink(this.#document, this.#version, this.#session.look);
  }

  #say(status: string): void {
    this.#status = status;
    this.#showHead();
  }

  #showHead(): void {
    const open = (event: Event): void => {
      this.#document.text = this.#editor.text('program');
      (event.currentTarget as HTMLAnchorElement).href = this.#link();
    };
    const other = this.#made && this.#version !== '0' && this.#made !== this.#version;
    const note = other ? html`<span class="soft" id="made">made with ${this.#made}, compiled by ${this.#version}</span>` : nothing;
    render(
      html`<code>${this.#document.file}</code>${note}<span class="soft" role="status">${this.#status || nothing}</span><span class="spring"></span>
        <a href=${this.#site} target="_blank" rel="noopener" @pointerdown=${open} @focus=${open} @click=${open}>Open in the playground</a>`,
      this.#head,
    );
  }

  set(part: Partial<EmbedDocument>): void {
    const { view, phase, version, ...rest } = part;
    if (version !== undefined) this.#made = version;
    this.#document = this.#read({ ...this.state(), ...rest });
    if (view !== undefined || phase !== undefined) this.#session.look = { ...this.#session.look, ...(view ? { view } : {}), ...(phase ? { phase } : {}) };
    this.#showHead();
    const { text } = this.#document;
    if (text === this.#editor.text('program')) this.#compile();
    else this.#editor.change('program', text); // which compiles, once
  }

  state(): EmbedDocument & EmbedResult {
    const { file, config, configName, options, sizes } = this.#document;
    const look = this.#session.look;
    const none = { ok: false, diagnostics: [], arena: {}, sha256: null, command: commandLine(this.#document), link: this.#link() };
    const text = this.#editor.text('program');
    const written = { file, text, config, configName, options: commandOptions(options), sizes };
    return { ...written, view: look.view ?? 'memory', phase: look.phase ?? '', ...(this.#result ?? none) };
  }

  end(): void {
    this.#editor.dispose();
    this.#pool.end();
  }
}

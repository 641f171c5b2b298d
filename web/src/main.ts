// The playground: text in, plan out, all in this page.
import type { CompileRequest } from 'irplan';
import { byId, debounce, h } from './base/dom';
import { CompilerClient, CompilerStopped } from './compiler/client';
import type { Compiled, Started } from './compiler/protocol';
import { copy, wireGallery, wireShare } from './dialogs';
import { type Example, examples } from './panels/gallery';
import { PlanView } from './plan-view';
import { decodeLink, encodeLink } from './share/link';
import { SourceView } from './source-view';
import { type Document, TARGETS, commandLine, defaultOptions, optionsText, parseOptions } from './state/document';
import { restore, save } from './state/storage';
import './timeline/timeline';
import { wireSplit } from './split';

const QUIET_MS = 80; // after the last key before compiling
const ADVICE_MS = 500; // and before a missed budget is planned under other choices
const MISSED = new Set(['W0401', 'E0401']); // diagnostics of a budget that admits less than is declared
const SLOW_MS = 250; // before a compilation is said to be under way

class Playground {
  #document: Document = ofExample(examples[0]!);
  #compiler = new CompilerClient();
  #started: Started | null = null;
  #source: SourceView;
  #plan: PlanView;
  #planText: string | null = null; // of what is shown
  #compiling = false;
  #opening = false; // the editor's changes are ours
  #again = false; // the text changed while compiling
  #binding = false;
  #bindAgain = false;
  #compileSoon = debounce(QUIET_MS, () => void this.#compile());
  #adviseSoon = debounce(ADVICE_MS, () => void (this.#compiling || this.#compile(true)));
  #saveSoon = debounce(400, () => save(this.#document));

  constructor() {
    const events = {
      change: () => this.#edited(),
      cursor: (line: number) => this.#plan.highlightLine(line),
    };
    this.#source = new SourceView(events);
    this.#plan = new PlanView({
      sizes: (sizes) => this.#resize(sizes),
      lines: (lines) => this.#source.markLines(lines),
      goToLine: (line) => this.#source.reveal(line),
    });
    this.#wireControls();
    this.#open(this.#firstDocument());
    this.#compiler.start().then(
      (started) => this.#ready(started),
      (error: unknown) => this.#source.setStatus(String(error instanceof Error ? error.message : error), 'error'),
    );
    const help = {
      ops: () => this.#started?.ops ?? null,
      format: async (text: string) => (await this.#compiler.format(text, this.#document.file)).text,
    };
    whenPainted(() => void this.#source.loadFullEditor(events, help));
  }

  #ready(started: Started): void {
    this.#started = started;
    byId('version').textContent = started.version.version;
  }

  #firstDocument(): Document {
    try {
      const linked = decodeLink(location.hash);
      if (linked) {
        void this.#tellVersion(linked.version);
        return linked.document;
      }
    } catch (error) {
      banner(`The link could not be opened: ${error instanceof Error ? error.message : String(error)}`);
    }
    return restore() ?? ofExample(examples[0]!);
  }

  /** A link made with another compiler is never taken for one of this compiler's. */
  async #tellVersion(version: string): Promise<void> {
    const started = await this.#compiler.start().catch(() => null); // that it did not start is told already
    if (!started || version === started.version.version) return;
    banner(`This link was made with IRPlan ${version}; what you see is compiled by ${started.version.version}.`);
  }

  #open(document: Document): void {
    this.#document = document;
    this.#opening = true;
    this.#source.setFiles(document.file, document.configName);
    this.#source.setTexts(document.text, document.config);
    byId<HTMLSelectElement>('target').value = document.options.target;
    byId<HTMLInputElement>('options').value = optionsText(document.options);
    this.#source.show('program');
    this.#opening = false;
    void this.#compile();
  }

  #edited(): void {
    if (this.#opening) return;
    this.#document.text = this.#source.text('program');
    this.#document.config = this.#source.text('config');
    this.#saveSoon();
    this.#compileSoon();
  }

  #request(advise: boolean): CompileRequest {
    const { file, text, config, configName, options } = this.#document;
    return {
      file,
      text,
      config: config.trim() ? config : null,
      config_name: configName,
      options: {
        dims: options.dims,
        lets: options.lets,
        retypes: options.retypes,
        target: options.target,
        deny_warnings: options.denyWarnings,
        advise,
      },
    };
  }

  /**
   * One compilation at a time; of what changes meanwhile only the last counts. A missed budget is planned under other choices
   * as well (`advise`) once nobody types: that is the command line's plan, to the byte.
   */
  async #compile(advise = false): Promise<void> {
    if (this.#compiling) {
      this.#again = true;
      return;
    }
    this.#compiling = true;
    const slow = setTimeout(() => this.#source.setStatus('compiling', 'busy'), SLOW_MS);
    try {
      const compiled = await this.#compiler.compile(this.#request(advise));
      const more = !advise && compiled.diagnostics.some((one) => MISSED.has(one.code));
      this.#tell(compiled);
      if (!this.#again) await this.#show(compiled, !more);
      if (more && !this.#again) this.#adviseSoon();
    } catch (error) {
      this.#failed(error);
    } finally {
      clearTimeout(slow);
      this.#compiling = false;
    }
    if (!this.#again) return;
    this.#again = false;
    void this.#compile();
  }

  #failed(error: unknown): void {
    this.#planText = null;
    const why = error instanceof Error ? error.message : String(error);
    this.#source.setStatus(error instanceof CompilerStopped ? `${why}; it was started again` : why, 'error');
    this.#plan.setStale(true);
  }

  /** What the compiler has to say, before the plan is drawn. */
  #tell(compiled: Compiled): void {
    this.#source.setDiagnostics(compiled.diagnostics);
    byId('timing').textContent = `${compiled.ms.toFixed(compiled.ms < 10 ? 1 : 0)} ms`;
    this.#plan.setStale(!compiled.ok);
    document.documentElement.dataset['compiled'] = compiled.ok ? 'ok' : 'failed';
  }

  async #show(compiled: Compiled, whole: boolean): Promise<void> {
    if (!compiled.plan) return;
    const command = commandLine(this.#document);
    const bound = await this.#compiler.bind(null, this.#document.sizes);
    if (bound.error) throw new Error(bound.error);
    this.#planText = compiled.plan;
    this.#plan.show(compiled.plan, bound, this.#document.sizes);
    this.#plan.setProof(whole ? compiled.sha256 : '', command);
    if (whole) document.documentElement.dataset['shown'] = compiled.sha256;
  }

  #resize(sizes: Record<string, number>): void {
    this.#document.sizes = sizes;
    this.#saveSoon();
    void this.#bind();
  }

  async #bind(): Promise<void> {
    if (this.#binding) {
      this.#bindAgain = true;
      return;
    }
    const plan = this.#planText;
    if (plan === null) return;
    this.#binding = true;
    try {
      const sizes = this.#document.sizes;
      const begin = performance.now();
      const bound = await this.#compiler.bind(null, sizes);
      if (plan === this.#planText && !bound.error) {
        this.#plan.rebind(bound, sizes);
        document.documentElement.dataset['bindMs'] = (performance.now() - begin).toFixed(1);
      }
    } catch {
      void this.#compile(); // the worker is gone, and with it its plan; this brings both back
    } finally {
      this.#binding = false;
    }
    if (!this.#bindAgain) return;
    this.#bindAgain = false;
    void this.#bind();
  }

  #setOptions(): void {
    const field = byId<HTMLInputElement>('options');
    const { options, wrong } = parseOptions(field.value, byId<HTMLSelectElement>('target').value);
    field.classList.toggle('wrong', wrong !== null);
    field.title = wrong === null ? '' : `not understood: ${wrong}`;
    if (wrong !== null) return;
    this.#document.options = options;
    this.#saveSoon();
    this.#compileSoon();
  }

  /** A change that the plan offers, "--let C=4096", instead of what was said of the same name. */
  #addOption(change: string): void {
    const added = parseOptions(change, '').options;
    const { options } = this.#document;
    Object.assign(options.lets, added.lets);
    Object.assign(options.dims, added.dims);
    Object.assign(options.retypes, added.retypes);
    byId<HTMLInputElement>('options').value = optionsText(options);
    this.#setOptions();
  }

  async #format(): Promise<void> {
    try {
      const { text, diagnostics } = await this.#compiler.format(this.#document.text, this.#document.file);
      if (text === null) this.#source.setDiagnostics(diagnostics);
      else this.#source.setTexts(text, this.#document.config);
    } catch (error) {
      this.#failed(error);
    }
  }

  #wireControls(): void {
    byId('target').append(...TARGETS.map((target) => h('option', { value: target }, target)));
    byId('target').addEventListener('change', () => this.#setOptions());
    byId('options').addEventListener('input', () => this.#setOptions());
    byId('summary').addEventListener('change-asked', (event) => this.#addOption((event as CustomEvent<string>).detail));
    byId('format').addEventListener('click', () => void this.#format());
    wireGallery((example) => {
      if (window.top === window) history.replaceState(null, '', location.pathname + location.search);
      this.#open(ofExample(example));
    });
    wireShare(() => encodeLink(this.#document, this.#started?.version.version ?? '0'));
    wireSplit();
    window.addEventListener('hashchange', () => {
      if (location.hash.length > 1) this.#open(this.#firstDocument());
    });
    byId('json-copy').addEventListener('click', () => void copy(this.#plan.planJson, byId('json-copy')));
    byId('json-save').addEventListener('click', () => download('plan.json', this.#plan.planJson));
    byId('command-copy').addEventListener('click', () => void copy(commandLine(this.#document), byId('command-copy')));
  }
}

function ofExample(example: Example): Document {
  const { file, text, config, configName } = example;
  return { file, text, config, configName, options: defaultOptions(), sizes: {} };
}

function banner(text: string): void {
  const node = byId('banner');
  const close = h('button', { type: 'button', class: 'quiet', onclick: () => (node.hidden = true) }, 'Dismiss');
  node.replaceChildren(h('span', {}, text), close);
  node.hidden = false;
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = h('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function whenPainted(run: () => void): void {
  requestAnimationFrame(() => setTimeout(run, 0));
}

new Playground();

// The playground: text in, plan out, all in this page.
import type { Diagnostic, Fit } from 'irplan';
import { html, nothing, render } from 'lit';
import { CompilerStopped } from '../compiler/client';
import { Latest } from '../compiler/latest';
import { CompilerPool, type PlanHandle } from '../compiler/pool';
import type { Compiled, Started } from '../compiler/protocol';
import { CompilerLanguage } from '../language/compiler';
import type { Answer, Ask } from '../language/service';
import { type Document, besideText, commandLine, compileRequest, emptyDocument } from '../model/document';
import { type FitQuestion, emptyQuestion } from '../model/fit';
import { type Linked, encodeFit } from '../model/link';
import { DEFAULT_TARGET, TARGETS, optionsText, parseOptions } from '../model/options';
import { byId, debounce } from '../parts/dom';
import { wireSplit } from '../parts/split';
import { THEMES, type Theme, chooseTheme, chosenTheme } from '../parts/theme';
import type { PlanPane } from '../views/plan';
import { COMMAND_LINE } from '../views/problems';
import { PlanSession } from '../views/session';
import { Comparison } from './comparison';
import { documentOf, examples, publishedConfigs } from './examples';
import { Files } from './files';
import { FitDialog } from './fit_dialog';
import { Gallery, templateCards } from './gallery';
import { Help } from './help';
import { Notices } from './notices';
import { Share } from './share';
import { SourceView } from './source';
import { pageOf, servedVersions, siteOf, versionText } from './versions';
import { Work } from './work';

const QUIET_MS = 80; // the most that is waited for another key; less where the last compilation took less
const ADVICE_MS = 500; // before a missed budget is planned under other choices
const SLOW_MS = 250; // before a compilation is said to be under way
const MISSED = new Set(['W0401', 'E0401']); // diagnostics of a budget that admits less than is declared

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For tests and for those who look: how far the page is. */
const mark = (name: 'compiled' | 'drawn' | 'shown', value: string): void => void (document.documentElement.dataset[name] = value);

export class Playground {
  /** All that the page shows by itself has arrived, or will not. */
  readonly loaded: Promise<void>;
  #pool = new CompilerPool();
  #started: Started | null = null;
  #notices = new Notices(byId('notices'));
  #source: SourceView;
  #session: PlanSession;
  #pane = byId<PlanPane>('result');
  #work: Work;
  #files: Files;
  #comparison: Comparison;
  #compiles = new Latest();
  #opening = false; // the editor's changes are ours
  #wrongOption = false;
  #links = 0; // that were opened
  #round = 0; // of compilations; what belongs to an older one is not shown
  #lastMs = QUIET_MS;
  #compileSoon = debounce(() => Math.min(QUIET_MS, this.#lastMs / 2), () => this.#compile());
  #language = new CompilerLanguage(
    async (question) => (await this.#pool.now.ask<'language'>({ method: 'language', question })) as Answer<Ask>,
    () => besideText(this.#document),
  );
  #missed = 0; // the round whose budget was missed
  #adviseSoon = debounce(() => ADVICE_MS, () => void this.#advise(this.#missed));

  constructor() {
    this.#source = new SourceView({
      change: () => this.#edited(),
      cursor: (line) => this.#session.highlightLine(line),
      takeChange: (change) => this.#takeChange(change),
      revealOptions: () => byId('options').focus(),
    });
    this.#session = new PlanSession({
      resized: (sizes) => {
        this.#change({ sizes }, false);
        this.#comparison.resized(sizes);
      },
      markLines: (lines) => this.#source.markLines(lines),
      goToLine: (line) => this.#source.reveal(line),
      takeChange: (change) => this.#takeChange(change),
      passes: () => this.#pool.later.ask<'passes'>({ method: 'passes', request: compileRequest(this.#document, false) }),
      lost: () => this.#compile(),
    });
    this.#pane.session = this.#session;
    this.#work = new Work(
      {
        show: (document) => this.#show(document),
        notify: (notice) => this.#notices.show(notice),
        version: () => this.#started?.version.version ?? '0',
        linked: (linked) => {
          if (linked.fit) this.#fit.open(linked.fit);
          else this.#session.look = linked.look;
          void this.#tellVersion(linked);
        },
      },
      documentOf(examples[0]!),
    );
    this.#files = new Files(byId('files-menu'), byId('files'), {
      document: () => this.#document,
      open: (document) => this.#work.open(document),
      change: (part) => this.#change(part, true),
    });
    this.#comparison = new Comparison({
      pool: this.#pool,
      session: this.#session,
      document: () => this.#document,
      changed: () => this.#work.changed(),
      swap: (document) => {
        this.#change(document, true);
        this.#showOptions();
      },
      choices: () => [
        ...this.#work.drafts.map(({ document }) => ({ group: 'Drafts', name: document.file, document: () => document })),
        ...examples.map((example) => ({ group: 'Examples', name: example.title, document: () => documentOf(example) })),
      ],
    });
    this.#session.host.comparing = this.#comparison;
    this.#wireControls();
    this.#work.start();
    this.#pool.start().then(
      (started) => this.#ready(started),
      (error: unknown) => this.#source.setStatus(messageOf(error), 'error'),
    );
    this.loaded = whenPainted().then(() => this.#loadEditor());
  }

  get #document(): Document {
    return this.#work.document;
  }

  /** After the compiler: on a slow network the first plan comes before the full editor. */
  async #loadEditor(): Promise<void> {
    await this.#pool.loaded();
    try {
      await this.#source.loadFullEditor(this.#language);
    } catch (error) {
      this.#notices.show({ text: `The full editor did not load: ${messageOf(error)}` });
    }
  }

  #ready(started: Started): void {
    this.#started = started;
    byId('version').textContent = started.version.version;
  }

  /** A link made with another compiler is never taken for one of this compiler's. */
  async #tellVersion({ version }: Linked): Promise<void> {
    this.#notices.clear(); // what was told of an earlier link
    const hash = location.hash;
    const link = ++this.#links;
    const started = await this.#pool.start().catch(() => null); // that it did not start is told already
    if (!started || version === started.version.version) return;
    const site = siteOf(location.href);
    const served = await servedVersions(site);
    if (link !== this.#links) return;
    const page = pageOf(version, site, served);
    const text = versionText(version, started.version.version, served, page);
    this.#notices.show({ text, ...(page ? { action: { name: `Open it in ${version}`, run: () => location.assign(page + hash) } } : {}) });
  }

  // ---- the document

  #show(document: Document): void {
    this.#opening = true;
    this.#source.open({ program: document.file, config: document.configName }, { program: document.text, config: document.config });
    this.#opening = false;
    this.#session.select(null);
    this.#showOptions();
    this.#retitle();
    this.#compile();
  }

  #retitle(): void {
    document.title = `${this.#document.file} · IRPlanner`;
  }

  #edited(): void {
    if (this.#opening) return;
    this.#document.text = this.#source.text('program');
    this.#document.config = this.#source.text('config');
    this.#work.changed();
    this.#compileSoon();
  }

  /** Another part of the document; `shown`: the editor must follow. */
  #change(part: Partial<Document>, shown: boolean): void {
    Object.assign(this.#document, part);
    this.#work.changed();
    if (!shown) return;
    this.#opening = true;
    const { file, configName, text, config } = this.#document;
    this.#source.open({ program: file, config: configName }, { program: text, config });
    this.#opening = false;
    this.#retitle();
    this.#compile();
  }

  // ---- options

  #showOptions(): void {
    const { options } = this.#document;
    const target = byId<HTMLSelectElement>('target');
    const targets = TARGETS.includes(options.target) ? TARGETS : [...TARGETS, options.target];
    render(targets.map((name) => html`<option value=${name}>${name}</option>`), target);
    target.value = options.target;
    const field = byId<HTMLInputElement>('options');
    if (document.activeElement !== field) field.value = optionsText(options);
    this.#tellOption(null);
  }

  #setOptions(): void {
    const field = byId<HTMLInputElement>('options');
    const { options, wrong } = parseOptions(field.value, byId<HTMLSelectElement>('target').value);
    this.#tellOption(wrong);
    if (wrong !== null) return;
    this.#document.options = options;
    this.#work.changed();
    this.#showOptions();
    this.#compileSoon();
  }

  /** A word that is no option is a problem like those of the program. */
  #tellOption(wrong: string | null): void {
    const field = byId('options');
    this.#wrongOption = wrong !== null;
    field.setAttribute('aria-invalid', String(wrong !== null));
    field.title = wrong?.replaceAll('`', '') ?? '';
    if (wrong === null) return;
    const place = { file: COMMAND_LINE, line: 1, column: 1, end_line: 1, end_column: 1 };
    const problem: Diagnostic = { ...place, code: 'options', severity: 'error', message: wrong, labels: [], notes: [], fixes: [] };
    this.#round++;
    this.#source.setDiagnostics([problem]);
    this.#session.stale.value = true;
  }

  /** What the plan offers: "--let C=4096" instead of what was said of the same name, or a line of the program. */
  #takeChange(change: string): void {
    if (change.startsWith('budget ')) {
      const lines = this.#document.text.split('\n');
      const last = lines.findLastIndex((line) => /^(budget|phase|dim)\b/.test(line));
      lines.splice(last + 1, 0, change);
      this.#source.change(lines.join('\n'));
      this.#source.reveal(last + 2);
      return;
    }
    const added = parseOptions(change, '').options;
    const { options } = this.#document;
    Object.assign(options.lets, added.lets);
    Object.assign(options.dims, added.dims);
    Object.assign(options.retypes, added.retypes);
    byId<HTMLInputElement>('options').value = optionsText(options);
    this.#setOptions();
  }

  // ---- compiling

  /** Of what changes while a compilation runs only the last counts. */
  #compile(): void {
    const round = ++this.#round;
    this.#pool.stopLater();
    this.#comparison.follow();
    delete document.documentElement.dataset['shown'];
    if (this.#document.text.trim() === '') return this.#showEmpty();
    this.#compiles.run(async () => {
      const slow = setTimeout(() => this.#source.setStatus('compiling', 'busy'), SLOW_MS);
      try {
        const { compiled, plan } = await this.#pool.compile(compileRequest(this.#document, false), this.#pool.now);
        clearTimeout(slow); // drawing may take as long, and what the compiler said stays
        this.#lastMs = compiled.ms;
        if (round !== this.#round) return;
        this.#tell(compiled);
        const missed = compiled.diagnostics.some((one) => MISSED.has(one.code));
        if (plan) await this.#draw(compiled, plan, round, !missed);
        if (!missed) return;
        this.#missed = round;
        this.#adviseSoon();
      } catch (error) {
        if (round === this.#round) this.#failed(error);
      } finally {
        clearTimeout(slow);
      }
    });
  }

  /** A missed budget planned under other choices as well: the command line's plan, to the byte. */
  async #advise(round: number): Promise<void> {
    if (round !== this.#round || this.#wrongOption) return;
    try {
      const { compiled, plan } = await this.#pool.compile(compileRequest(this.#document, true), this.#pool.later);
      if (round !== this.#round) return;
      this.#tell(compiled);
      if (plan) await this.#draw(compiled, plan, round, true);
    } catch (error) {
      if (round === this.#round && !(error instanceof CompilerStopped)) this.#failed(error);
    }
  }

  /** What the compiler has to say, before the plan is drawn. */
  #tell(compiled: Compiled): void {
    this.#source.setDiagnostics(compiled.diagnostics);
    byId('timing').textContent = `${compiled.ms.toFixed(compiled.ms < 10 ? 1 : 0)} ms`;
    if (compiled.handle === null) {
      this.#session.stale.value = true;
      this.#showWaiting(compiled.diagnostics);
    }
    this.#language.compiled();
    mark('compiled', compiled.ok ? 'ok' : compiled.refused ? 'refused' : 'failed');
  }

  async #draw(compiled: Compiled, plan: PlanHandle, round: number, final: boolean): Promise<void> {
    await this.#session.open(plan, this.#document.sizes, compiled.refused);
    if (round !== this.#round) {
      this.#session.stale.value = this.#wrongOption; // what was typed meanwhile tells of itself
      return;
    }
    byId('empty').hidden = true;
    this.#pane.hidden = false;
    mark('drawn', String(round));
    if (!final || compiled.refused) {
      this.#pane.proof = null;
      if (final) mark('shown', 'refused');
      return;
    }
    const command = commandLine(this.#document);
    const proof = await this.#session.proof();
    if (!proof || round !== this.#round) return;
    this.#pane.proof = { sha256: proof.sha256, command };
    mark('shown', proof.sha256);
  }

  #failed(error: unknown): void {
    const why = messageOf(error);
    this.#source.setStatus(error instanceof CompilerStopped ? `${why}; it was started again` : why, 'error');
    this.#session.stale.value = true;
  }

  // ---- where there is no plan

  #showEmpty(): void {
    this.#source.setDiagnostics([]);
    this.#source.setStatus('an empty program', 'ok');
    byId('timing').textContent = '';
    this.#pane.hidden = true;
    const openExample = (example: Parameters<typeof documentOf>[0]): void => this.#work.open(documentOf(example));
    render(
      html`<h2>Start from a template</h2>
        ${templateCards(openExample)}
        <p>
          or <button type="button" class="link" @click=${() => this.#gallery.open()}>open an example</button>: whole models with their
          <code>config.json</code>. <button type="button" class="link" @click=${() => this.#askFit()}>What fits</button> tells whether a
          model fits a GPU. <button type="button" class="link" @click=${() => this.#help.open()}>Help</button> has the language in a minute.
        </p>`,
      this.#placeWithoutPlan(),
    );
  }

  /** The first plan is yet to come. */
  #showWaiting(diagnostics: Diagnostic[]): void {
    if (!this.#pane.hidden) return;
    const first = diagnostics.find((one) => one.severity === 'error');
    render(
      html`<h2>No plan yet</h2>
        <p>The plan appears here when the program compiles.</p>
        ${first ? html`<p>First: <button type="button" class="link" @click=${() => this.#source.reveal(first.line, first.column)}>line ${first.line}</button>, ${first.message.replaceAll('`', '')}.</p>` : nothing}
        <p><button type="button" class="control" @click=${() => this.#gallery.open()}>Examples</button></p>`,
      this.#placeWithoutPlan(),
    );
  }

  #placeWithoutPlan(): HTMLElement {
    const place = byId('empty');
    place.hidden = false;
    place.querySelector('.before')?.remove(); // what was there before the page was
    return place;
  }

  // ---- controls

  #gallery = new Gallery({
    drafts: () => this.#work.drafts,
    openExample: (example) => this.#work.open(documentOf(example)),
    openDraft: (draft) => this.#work.openDraft(draft),
    removeDraft: (draft) => this.#work.remove(draft),
  });
  #help = new Help();
  #share = new Share();
  #asked = emptyQuestion(); // what was asked last of what fits
  #fit = new FitDialog({
    fit: (request) => this.#pool.now.ask<'fit'>({ method: 'fit', request }),
    gpus: () => this.#pool.now.ask<'gpus'>({ method: 'gpus' }),
    configs: publishedConfigs,
    open: (fit, question) => void this.#openFit(fit, question),
    asked: (question) => (this.#asked = question),
    link: (question) => location.href.split('#')[0] + encodeFit(question, this.#started?.version.version ?? '0'),
  });

  /** Of the open document's config, where it has one. */
  #askFit(): void {
    const { config, configName } = this.#document;
    this.#fit.open(config.trim() ? { ...this.#asked, config, configName } : this.#asked);
  }

  /** The program with the numbers of the answer: its last command line says how. */
  async #openFit(fit: Fit, question: FitQuestion): Promise<void> {
    try {
      const { text, example } = await this.#pool.now.ask<'new'>({ method: 'new', config: question.config });
      const line = fit.commands.at(-1) ?? '';
      const words = [...line.matchAll(/--(?:let|dim|retype) \S+/g)].map(([word]) => word).join(' ');
      const { options } = parseOptions(words, DEFAULT_TARGET);
      this.#fit.close();
      this.#work.open({ ...emptyDocument(), file: `${example}.irplan`, text, config: question.config, configName: question.configName, options });
    } catch (error) {
      this.#notices.show({ text: messageOf(error) });
    }
  }

  #openShare(): void {
    const link = this.#work.share(this.#session.look);
    const { file, text } = this.#document;
    const picture = this.#session.handle === null ? null : () => this.#session.picture();
    this.#share.open({ link, file, text, command: commandLine(this.#document), picture });
  }

  async #format(): Promise<void> {
    try {
      const { text, diagnostics } = await this.#pool.now.ask<'format'>({ method: 'format', text: this.#document.text, file: this.#document.file });
      if (text === null) this.#source.setDiagnostics(diagnostics);
      else this.#source.change(text);
    } catch (error) {
      this.#failed(error);
    }
  }

  #wireControls(): void {
    byId('target').addEventListener('change', () => this.#setOptions());
    byId('options').addEventListener('input', () => this.#setOptions());
    byId('options').addEventListener('blur', () => this.#wrongOption || this.#showOptions());
    byId('format').addEventListener('click', () => void this.#format());
    byId('examples').addEventListener('click', () => this.#gallery.open());
    byId('fit').addEventListener('click', () => this.#askFit());
    byId('help').addEventListener('click', () => this.#help.open());
    byId('share').addEventListener('click', () => this.#openShare());
    wireSplit(byId('split'));
    this.#wireTheme();
    document.querySelector('.skip')?.addEventListener('click', (event) => {
      event.preventDefault();
      byId('plan').focus();
    });
    document.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      void this.#files.openFiles([...(event.dataTransfer?.files ?? [])]);
    });
  }

  #wireTheme(): void {
    const select = byId<HTMLSelectElement>('theme');
    render(THEMES.map((name) => html`<option value=${name}>${name}</option>`), select);
    select.value = chosenTheme();
    select.addEventListener('change', () => chooseTheme(select.value as Theme));
  }

  #key(event: KeyboardEvent): void {
    const target = event.composedPath()[0] as HTMLElement;
    const typing = target.closest('input, textarea, select, [contenteditable], .monaco-editor, .cm-editor') !== null;
    if (event.key === '?' && !typing && !event.ctrlKey) this.#help.open();
    else if (event.key === 's' && (event.ctrlKey || event.metaKey)) this.#openShare();
    else return;
    event.preventDefault();
  }
}

const whenPainted = (): Promise<void> => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

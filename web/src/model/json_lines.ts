// plan.json by its lines, so that thirty megabytes are read without laying them out: the writer puts each record on a
// line of its own, within the lists of the top level.

export interface JsonSection {
  name: string;
  /** Lines: its head, and its closing one. */
  first: number;
  last: number;
}

export class JsonLines {
  readonly text: string;
  readonly sections: JsonSection[];
  #starts: Uint32Array;

  constructor(text: string) {
    this.text = text;
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    if (starts.at(-1) === text.length && starts.length > 1) starts.pop();
    this.#starts = Uint32Array.from(starts);
    this.sections = this.#findSections();
  }

  get count(): number {
    return this.#starts.length;
  }

  line(i: number): string {
    const end = i + 1 < this.count ? this.#starts[i + 1]! - 1 : this.text.length;
    return this.text.slice(this.#starts[i], end).replace(/\n$/, '');
  }

  lineAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /** By what lines begin with: records are indented, so that nearly every line is told by one character. */
  #findSections(): JsonSection[] {
    const sections: JsonSection[] = [];
    let open: JsonSection | null = null;
    this.#starts.forEach((start, i) => {
      const begins = this.text[start];
      if (begins === ']' && open) {
        open.last = i;
        open = null;
      }
      const name = begins === '"' ? /^"(\w+)": \[$/.exec(this.line(i))?.[1] : undefined;
      if (name === undefined) return;
      open = { name, first: i, last: this.count - 1 };
      sections.push(open);
    });
    return sections;
  }
}

/** The lines that are shown where some sections are folded: a fold keeps its head alone. */
export class FoldedLines {
  readonly count: number;
  #gaps: { after: number; hidden: number }[];

  constructor(lines: JsonLines, folded: ReadonlySet<string>) {
    this.#gaps = lines.sections
      .filter((section) => folded.has(section.name) && section.last > section.first)
      .map((section) => ({ after: section.first, hidden: section.last - section.first }));
    this.count = lines.count - this.#gaps.reduce((sum, gap) => sum + gap.hidden, 0);
  }

  /** The line that is shown in a row. */
  lineOf(row: number): number {
    let line = row;
    for (const { after, hidden } of this.#gaps) if (line > after) line += hidden;
    return line;
  }

  rowOf(line: number): number {
    let row = line;
    for (const { after, hidden } of this.#gaps) if (line > after) row -= Math.min(hidden, line - after);
    return row;
  }
}

export interface JsonToken {
  kind: 'key' | 'text' | 'number' | 'word' | 'mark';
  text: string;
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b|[^"\d\w-]+|./gs;

export function jsonTokens(line: string): JsonToken[] {
  return [...line.matchAll(TOKEN)].map((match): JsonToken => {
    const [text, quoted, colon] = match;
    if (quoted) return { kind: colon ? 'key' : 'text', text };
    if (/^-?\d/.test(text)) return { kind: 'number', text };
    return { kind: /^[a-z]/.test(text) ? 'word' : 'mark', text };
  });
}

// What differs between two texts, by lines: Myers' algorithm (1986) on what lies between the common begin and end. Texts
// that have next to nothing in common are told as a whole, since nobody reads such a difference line by line.

export interface DiffLine {
  kind: 'same' | 'added' | 'removed';
  text: string;
}

const MOST_EDITS = 3000;

/** The edit script as a path of moves, from the traces of each round; null where it has more edits than are looked for. */
function shortestPath(a: string[], b: string[]): DiffLine[] | null {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const offset = most + 1;
  const reach = new Int32Array(2 * most + 3);
  const traces: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    traces.push(reach.slice(offset - edits - 1, offset + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && reach[offset + k - 1]! < reach[offset + k + 1]!);
      let x = down ? reach[offset + k + 1]! : reach[offset + k - 1]! + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      reach[offset + k] = x;
      if (x >= a.length && y >= b.length) return walkBack(a, b, traces, edits);
    }
  }
  return null;
}

function walkBack(a: string[], b: string[], traces: Int32Array[], edits: number): DiffLine[] {
  const lines: DiffLine[] = [];
  let x = a.length;
  let y = b.length;
  const back = (kind: DiffLine['kind']): void => {
    lines.push({ kind, text: kind === 'added' ? b[y - 1]! : a[x - 1]! });
    if (kind !== 'added') x--;
    if (kind !== 'removed') y--;
  };
  for (let d = edits; d > 0; d--) {
    const at = (k: number): number => traces[d]![k + d + 1]!; // how far diagonal k came with an edit less
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const afterEdit = down ? at(k + 1) : at(k - 1) + 1;
    while (x > afterEdit) back('same');
    back(down ? 'added' : 'removed');
  }
  while (x > 0) back('same');
  return lines.reverse();
}

export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (list: string[]): DiffLine[] => list.map((text) => ({ kind: 'same', text }));
  const oldMiddle = a.slice(head, a.length - tail);
  const newMiddle = b.slice(head, b.length - tail);
  const middle = shortestPath(oldMiddle, newMiddle) ?? [
    ...oldMiddle.map((text): DiffLine => ({ kind: 'removed', text })),
    ...newMiddle.map((text): DiffLine => ({ kind: 'added', text })),
  ];
  return [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))];
}

export type ShownLine = DiffLine | { kind: 'gap'; hidden: number };

const CONTEXT = 3; // lines that did not change, beside those that did

/** Without the long stretches that are the same. */
export function withGaps(lines: DiffLine[]): ShownLine[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (line.kind !== 'same') near.fill(1, Math.max(0, i - CONTEXT), i + CONTEXT + 1);
  });
  const shown: ShownLine[] = [];
  lines.forEach((line, i) => {
    const last = shown.at(-1);
    if (near[i]) shown.push(line);
    else if (last?.kind === 'gap') last.hidden++;
    else shown.push({ kind: 'gap', hidden: 1 });
  });
  return shown;
}

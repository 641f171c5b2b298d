// Trees of Markdown and of HTML, as far as the plugin reads and makes them: mdast and hast, without their packages.

export interface Markdown {
  type: string;
  children?: Markdown[];
  /** Of fenced code: its language, what stands behind it, and the text. */
  lang?: string | null;
  meta?: string | null;
  value?: string;
  position?: { start: { line: number; column: number } };
  data?: Record<string, unknown>;
}

export type Properties = Record<string, string | number | boolean | string[]>;

export interface Element {
  type: 'element';
  tagName: string;
  properties: Properties;
  children: Html[];
}
export interface Text {
  type: 'text';
  value: string;
}
export type Html = Element | Text;

/** An element; what is null stays out. */
export function element(tagName: string, properties: Properties, ...children: (Html | string | null)[]): Element {
  const kept = children.filter((child) => child !== null);
  return { type: 'element', tagName, properties, children: kept.map((child) => (typeof child === 'string' ? { type: 'text', value: child } : child)) };
}

/** All nodes of a kind, from top to bottom. */
export function* nodesOf(tree: Markdown, type: string): Generator<Markdown> {
  if (tree.type === type) yield tree;
  for (const child of tree.children ?? []) yield* nodesOf(child, type);
}

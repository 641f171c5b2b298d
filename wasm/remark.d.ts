// irplan/remark: a unified plugin that makes static HTML of fenced programs when Markdown is built.
import type { Irplan } from './index.js';

export interface RemarkIrplanOptions {
  /** The address of a playground, its last `/` included; links and frames lead there. Without it there are none. */
  playground?: string;
  /** Where a fence does not say: `link` (the default), `frame`, `element` or `none`. */
  embed?: 'link' | 'frame' | 'element' | 'none';
  /** A compiler that is loaded already. */
  irplan?: Irplan | Promise<Irplan>;
}

export interface Problem {
  file: string;
  line: number;
  column: number;
  /** Of the diagnostic; empty where the fence itself is wrong. */
  code: string;
  message: string;
}

/** What ends the build: all that is wrong with the snippets of one document, a line each in its message. */
export class SnippetError extends Error {
  readonly problems: Problem[];
}

/** A node of a Markdown tree (mdast), as far as it matters here. */
interface Node {
  type: string;
}

/** For `unified().use(remarkIrplan, options)` and whatever takes remark plugins; `file` is a VFile, or has its path alone. */
export default function remarkIrplan(options?: RemarkIrplanOptions): (tree: Node, file?: { path?: string }) => Promise<void>;

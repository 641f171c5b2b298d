// The compiler's picture of the memory (SVG text) as elements of a page. Its rules go to the package's style sheet, so that a page's
// policy needs no inline styles, and its ids get a name of their own, because a page can have many pictures.
import { type Element, type Html, element } from './nodes';

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const plain = (text: string): string =>
  text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) =>
    decimal ? String.fromCodePoint(Number(decimal)) : hex ? String.fromCodePoint(parseInt(hex, 16)) : (ENTITIES[name!] ?? whole),
  );

/** Reads the well-formed XML that the compiler writes. */
function parse(xml: string): Element {
  const root = element('', {});
  const open = [root];
  for (const [, close, tag, attributes, single, text] of xml.matchAll(/<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>|([^<]+)/g)) {
    const parent = open.at(-1)!;
    if (text !== undefined) parent.children.push({ type: 'text', value: plain(text) });
    else if (close) open.pop();
    else {
      const pairs = [...attributes!.matchAll(/([\w:-]+)="([^"]*)"/g)].filter(([, name]) => name !== 'xmlns');
      const node = element(tag!, Object.fromEntries(pairs.map(([, name, value]) => [name === 'class' ? 'className' : name!, plain(value!)])));
      parent.children.push(node);
      if (!single) open.push(node);
    }
  }
  const [svg] = root.children.filter((child): child is Element => child.type === 'element');
  if (svg?.tagName !== 'svg') throw new Error('the picture is no SVG');
  return svg;
}

const isElement = (node: Html, tag: string): boolean => node.type === 'element' && node.tagName === tag;

/** `name`: of this picture among those of its page. */
export function pictureOf(svg: string, name: string): Element {
  const picture = parse(svg.replaceAll('id="', `id="${name}-`).replaceAll('url(#', `url(#${name}-`));
  const title: Html | undefined = picture.children.find((child) => isElement(child, 'title'));
  const [label] = title?.type === 'element' ? title.children : [];
  picture.children = picture.children.filter((child) => !isElement(child, 'style') && child !== title);
  picture.properties['className'] = ['irplan-picture'];
  picture.properties['ariaLabel'] = label?.type === 'text' ? label.value : 'memory over the steps';
  return picture;
}

// Where two dims trade under a budget: for each size of the first the most of the second, on logarithmic scales; what lies
// under the steps fits. A point is a button that takes both sizes.
import { type TemplateResult, html, svg } from 'lit';
import type { Frontier } from '../model/plan';

const WIDTH = 320;
const HEIGHT = 190;
const LEFT = 52;
const BOTTOM = 30;
const TOP = 22;
const RIGHT = 14;

type Scale = (n: number) => number;

function scale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log(high / low) || 1;
  return (n) => from + (Math.log(Math.max(n, low) / low) / span) * (to - from);
}

function ticks(low: number, high: number): number[] {
  const all: number[] = [];
  for (let n = 2 ** Math.ceil(Math.log2(low)); n <= high; n *= 2) all.push(n);
  const each = Math.ceil(all.length / 6);
  return all.filter((_, i) => i % each === 0);
}

export function frontierChart(
  { dims: [first, second], points }: Frontier,
  now: [number, number],
  take: (point: [number, number]) => void,
): TemplateResult {
  const xs = points.map(([a]) => a);
  const ys = points.map(([, b]) => b);
  const [x0, x1] = [Math.max(1, Math.min(...xs, now[0])), Math.max(...xs, now[0], 2)];
  const [y0, y1] = [Math.max(1, Math.min(...ys, now[1])), Math.max(...ys, now[1], 2)];
  const x = scale(x0, x1, LEFT, WIDTH - RIGHT);
  const y = scale(y0, y1, HEIGHT - BOTTOM, TOP);
  let path = `M ${x(x0)} ${y(points[0]?.[1] ?? y0)}`;
  for (const [a, b] of points) path += ` H ${x(a)} V ${y(b)}`;
  const area = `${path} V ${HEIGHT - BOTTOM} H ${x(x0)} Z`;
  const fits = points.some(([a, b]) => now[0] <= a && now[1] <= b);
  return html`<svg class="frontier" viewBox="0 0 ${WIDTH} ${HEIGHT}" width=${WIDTH} height=${HEIGHT} role="group"
    aria-label=${`${second} by ${first}: ${points.map(([a, b]) => `${first} ${a}, ${second} up to ${b}`).join('; ')}`}>
    <path class="area" d=${area}></path><path class="edge" d=${path}></path>
    ${ticks(x0, x1).map((n) => svg`<text x=${x(n)} y=${HEIGHT - BOTTOM + 14} text-anchor="middle">${n}</text>`)}
    ${ticks(y0, y1).map((n) => svg`<text x=${LEFT - 6} y=${y(n) + 4} text-anchor="end">${n}</text>`)}
    <text class="name" x=${WIDTH - RIGHT} y=${HEIGHT - 4} text-anchor="end">${first}</text>
    <text class="name" x="4" y="11">${second}</text>
    ${points.map((point) => svg`<g class="point" role="button" tabindex="0" aria-label=${`${first} = ${point[0]}, ${second} = ${point[1]}`}
        @click=${() => take(point)} @keydown=${(event: KeyboardEvent) => event.key === 'Enter' && take(point)}>
        <circle class="reach" cx=${x(point[0])} cy=${y(point[1])} r="12"></circle>
        <circle cx=${x(point[0])} cy=${y(point[1])} r="4"></circle></g>`)}
    <path class=${fits ? 'now' : 'now over'} d=${`M ${x(now[0]) - 5} ${y(now[1])} h 10 m -5 -5 v 10`}></path>
  </svg>`;
}

// Lays a graph out, beside the page: dagre takes seconds for thousands of nodes.
import { Graph, layout } from '@dagrejs/dagre';
import type { LayoutReply, LayoutRequest } from './layout';

self.onmessage = (event: MessageEvent<LayoutRequest>): void => {
  const { count, edges, width, height } = event.data;
  const graph = new Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 26, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (let i = 0; i < count; i++) graph.setNode(String(i), { width, height });
  for (const [from, to] of edges) graph.setEdge(String(from), String(to));
  layout(graph);
  const size = graph.graph() as { width?: number; height?: number };
  const reply: LayoutReply = {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes: Array.from({ length: count }, (_, i) => {
      const { x, y } = graph.node(String(i)) as { x: number; y: number };
      return { x, y };
    }),
    edges: edges.map(([from, to]) => (graph.edge(String(from), String(to)) as { points: { x: number; y: number }[] }).points),
  };
  self.postMessage(reply);
};

// Widths of a table's columns that stay while its numbers run. A table whose columns follow its cells is laid out whole for each cell
// that changes; with widths of their own only the cell is.

/** Columns stay as wide as they are. */
export function holdColumns(table: HTMLTableElement): void {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const widths = heads.map((head) => head.getBoundingClientRect().width);
  table.style.width = `${table.getBoundingClientRect().width}px`;
  table.style.tableLayout = 'fixed';
  heads.forEach((head, i) => (head.style.width = `${widths[i]}px`));
}

/** Columns follow what their cells hold. */
export function releaseColumns(table: HTMLTableElement): void {
  table.style.removeProperty('width');
  table.style.removeProperty('table-layout');
  for (const head of table.tHead?.rows[0]?.cells ?? []) head.style.removeProperty('width');
}

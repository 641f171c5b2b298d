// Numbers as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** "512 B", "32.0 MiB": three significant digits, binary units. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return 'too large';
  let unit = 0;
  let n = bytes;
  while (n >= 1024 && unit < UNITS.length - 1) {
    n /= 1024;
    unit++;
  }
  if (unit === 0) return `${n} B`;
  const digits = n >= 100 ? 0 : n >= 10 ? 1 : 2;
  return `${n.toFixed(digits)} ${UNITS[unit]}`;
}

/** "33 554 432": groups of three, apart by thin spaces. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

const SCALES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** "252 MFLOP": three significant digits, decimal prefixes. */
export function countText(n: number | null, unit: string): string {
  if (n === null) return 'too large';
  let scale = 0;
  while (n >= 1000 && scale < SCALES.length - 1) {
    n /= 1000;
    scale++;
  }
  const digits = scale === 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2;
  return `${n.toFixed(digits)} ${SCALES[scale]}${unit}`;
}

/** "+12.5 %" without needless digits. */
export function percentText(ratio: number): string {
  const percent = ratio * 100;
  return `${Math.abs(percent) >= 10 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

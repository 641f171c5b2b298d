// Between the compiler's places (UTF-8 bytes) and the editor's (UTF-16 units), and text in URLs.

function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** The column in UTF-16 units, from 1, of a column in UTF-8 bytes, from 1. */
export function columnInUnits(line: string, byteColumn: number): number {
  let bytes = 1;
  let units = 1;
  for (const char of line) {
    if (bytes >= byteColumn) break;
    bytes += utf8Length(char.codePointAt(0) ?? 0);
    units += char.length;
  }
  return units;
}

export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

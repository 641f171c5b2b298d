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

/** The line, from 1, of an offset. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The offset, in UTF-16 units, of a place as the compiler tells it: line and column from 1, columns in UTF-8 bytes. */
export function offsetOf(text: string, line: number, column: number): number {
  let begin = 0;
  for (let i = 1; i < line; i++) {
    const end = text.indexOf('\n', begin);
    if (end < 0) break;
    begin = end + 1;
  }
  const end = text.indexOf('\n', begin);
  return begin + columnInUnits(text.slice(begin, end < 0 ? text.length : end), column) - 1;
}

export interface TextEdit {
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  text: string;
}

/** A text with the compiler's edits made. */
export function withEdits(text: string, edits: TextEdit[]): string {
  const placed = edits
    .map((edit) => ({
      begin: offsetOf(text, edit.line, edit.column),
      end: offsetOf(text, edit.end_line, edit.end_column),
      text: edit.text,
    }))
    .sort((a, b) => b.begin - a.begin);
  return placed.reduce((out, edit) => out.slice(0, edit.begin) + edit.text + out.slice(edit.end), text);
}

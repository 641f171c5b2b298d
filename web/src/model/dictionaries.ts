// Text that links need not carry, because both sides have it: the page's and the command line's (native/link). A dictionary never
// changes once links were made with it; others get the next letters (native/link/make_dictionary.mjs).
import a from '../../../native/link/dictionaries/a.txt?raw';
import b from '../../../native/link/dictionaries/b.txt?raw';
import c from '../../../native/link/dictionaries/c.txt?raw';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const DICTIONARIES: Record<string, Uint8Array> = { a: bytes(a), b: bytes(b), c: bytes(c) };
/** Those that links are made with: the one that makes it the shortest. */
export const CURRENT = ['b', 'c'];

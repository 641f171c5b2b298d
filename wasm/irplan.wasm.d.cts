/** What a bundler makes of the file: mostly its address. */
declare const wasm: string;
export = wasm;

// The same types for require(), which gives run() alone.
export * from './run.js';

// The same types for require().
export * from './index.js';

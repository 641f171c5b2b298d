// The same types for require(), which gives the plugin alone.
import type remarkIrplan from './remark.js' with { 'resolution-mode': 'import' };

declare const plugin: typeof remarkIrplan;
export = plugin;

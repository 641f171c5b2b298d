// What a run is asked, as a reader chooses it, and how its numbers are told.
import type { InputNumbers, NamedFile, RunRequest, Statistics } from 'irplan/run';
import { quoted } from './options';

export const SHOWN_VALUES = 10_000; // of an output; its file has all

export type Filling = 'random' | 'value' | 'file';

/** An input as it is chosen: a seed, a number, or a file. */
export interface InputChoice {
  filling: Filling;
  seed: string;
  value: string;
  file: NamedFile | null;
  /** Of a file that holds several. */
  tensor: string;
}

export interface RunChoice {
  /** Weights: files, or the seed where there are none. */
  seed: string;
  files: NamedFile[];
  inputs: Record<string, InputChoice>;
  states: 'unset' | 'zeros';
}

export const newInput = (): InputChoice => ({ filling: 'random', seed: '2', value: '0', file: null, tensor: '' });
export const newChoice = (): RunChoice => ({ seed: '1', files: [], inputs: {}, states: 'zeros' });

const PLAIN = /^[\w.+:=@,/-]+$/; // what no shell reads as anything else
const word = (text: string): string => (PLAIN.test(text) ? text : quoted(text));

const WHOLE = /^\d{1,15}$/;

/** One output as the page keeps it: its first numbers. */
export interface ShownOutput {
  name: string;
  dtype: string;
  shape: number[];
  values: Float64Array | Float32Array;
  statistics: Statistics;
  histogram: number[];
}

export interface ShownResult {
  phase: string;
  dims: Record<string, number>;
  bytes: { weights: number; state: number; inputs: number; arena: number; loading: number };
  notes: string[];
  ms: { load: number; run: number };
  outputs: ShownOutput[];
}

function inputNumbers(name: string, choice: InputChoice): InputNumbers | string {
  if (choice.filling === 'file') {
    if (!choice.file) return `input ${name}: no file is chosen`;
    return { ...choice.file, ...(choice.tensor ? { tensor: choice.tensor } : {}) };
  }
  if (choice.filling === 'value') {
    const value = Number(choice.value);
    return choice.value.trim() === '' || !Number.isFinite(value) ? `input ${name}: \`${choice.value}\` is not a number` : { value };
  }
  return WHOLE.test(choice.seed) ? { seed: Number(choice.seed) } : `input ${name}: the seed \`${choice.seed}\` is not a whole number`;
}

/** What the runner is asked, or what is wrong with what was chosen. */
export function runRequest(plan: string, phase: string, dims: Record<string, number>, choice: RunChoice, inputs: string[]): RunRequest | string {
  const numbers: Record<string, InputNumbers> = {};
  for (const name of inputs) {
    const read = inputNumbers(name, choice.inputs[name] ?? newInput());
    if (typeof read === 'string') return read;
    numbers[name] = read;
  }
  if (!choice.files.length && !WHOLE.test(choice.seed)) return `weights: the seed \`${choice.seed}\` is not a whole number`;
  const weights = choice.files.length ? choice.files : { seed: Number(choice.seed) };
  return { plan, phase, dims, weights, inputs: numbers, states: choice.states };
}

/** The command that gives the same bytes, beside the plan that the page's own command writes. */
export function runCommand(phase: string, dims: Record<string, number>, choice: RunChoice, inputs: string[], hasStates: boolean): string {
  const given = (name: string): string => {
    const { filling, seed, value, file, tensor } = choice.inputs[name] ?? newInput();
    if (filling === 'random') return `random:${seed}`;
    if (filling === 'value') return `const:${value}`;
    return `@${file?.name ?? 'x.npy'}${tensor ? `:${tensor}` : ''}`;
  };
  const weights = choice.files.length > 1 ? '.' : (choice.files[0]?.name ?? `random:${choice.seed}`);
  return [
    'irplan-run plan.json --backend cpu --isa portable',
    `--phase ${word(phase)}`,
    ...Object.entries(dims).map(([name, size]) => `--dim ${name}=${size}`),
    `--weights ${word(weights)}`,
    ...inputs.map((name) => `--input ${word(`${name}=${given(name)}`)}`),
    ...(hasStates && choice.states === 'zeros' ? ['--states zeros'] : []),
  ].join(' ');
}

/** Which chosen or dropped file is what: weights, or an input's numbers. The choice that follows, or why a file is nothing here. */
export function withFiles(choice: RunChoice, files: NamedFile[], inputs: string[]): RunChoice | string {
  const next: RunChoice = { ...choice, inputs: { ...choice.inputs } };
  const weights = files.filter((file) => file.name.endsWith('.safetensors'));
  if (weights.length) next.files = weights;
  for (const file of files) {
    if (weights.includes(file)) continue;
    if (!file.name.endsWith('.npy')) return `${file.name}: weights are .safetensors files, and inputs .npy files`;
    const stem = file.name.replace(/\.npy$/, '');
    const name = inputs.find((one) => one === stem) ?? (inputs.length === 1 ? inputs[0] : undefined);
    if (name === undefined) return `${file.name}: no input is called ${stem}; there are ${inputs.join(', ') || 'none'}`;
    next.inputs[name] = { ...(next.inputs[name] ?? newInput()), filling: 'file', file };
  }
  return next;
}

/** "[0, 3, 5]": the place of an element. */
export function placeOf(element: number, shape: number[]): string {
  const at: number[] = [];
  for (let i = shape.length; i-- > 0; element = Math.floor(element / shape[i]!)) at.unshift(element % shape[i]!);
  return `[${at.join(', ')}]`;
}

/** Six significant digits, or the words for what is no number. */
export function valueText(x: number): string {
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  const text = Number.isInteger(x) && Math.abs(x) < 1e15 ? String(x) : String(Number(x.toPrecision(6)));
  return text.replace('-', '−');
}

export function timeText(ms: number): string {
  return ms < 1 ? `${(1000 * ms).toFixed(0)} µs` : ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

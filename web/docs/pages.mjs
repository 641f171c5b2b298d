// The pages of the documentation: where each comes from, and what is said of it where it is listed.

/** `## name` and what the compiler's table knows of it. */
function operator(op) {
  const attributes = op.attributes.map(({ name, kind, fallback, choices }) => {
    const what = choices ? `one of ${choices.replaceAll('|', ', ')}` : kind;
    return `- \`${name}\`: ${what}; ${fallback === null ? 'required' : `\`${fallback}\` unless given`}`;
  });
  const notes = [
    op.in_place ? 'May write over an operand that dies there.' : '',
    op.fused ? 'Made by the compiler of several ops; it has no syntax of its own.' : '',
    op.variadic ? 'Takes any number of operands.' : '',
  ].filter(Boolean);
  return [
    `## ${op.name}`,
    op.doc ? `${op.doc}.` : '',
    op.operand_text ? `\`${op.operand_text}\`${op.shape_text ? `, of shape \`${op.shape_text}\`` : ''}` : '',
    attributes.join('\n'),
    notes.join(' '),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function operators(irplan) {
  const { ops, dtypes } = irplan.ops();
  const sorted = [...ops].sort((a, b) => Number(a.fused) - Number(b.fused) || (a.name < b.name ? -1 : 1));
  return [
    '# Operators',
    'All operators of the language, from the table that the compiler itself reads. In a program an operator is called by its name, tensors by ' +
      'place and attributes by keyword: `linear(x, w, to=f32)`. An operand with `?` is optional. `irplan ops NAME` prints the same.',
    `The dtypes: ${dtypes.map(({ name, elements, bytes }) => `\`${name}\` (${elements === 1 ? `${bytes} B` : `${bytes} B for ${elements}`})`).join(', ')}.`,
    ...sorted.map(operator),
  ].join('\n\n');
}

/** `source`: a file of the repository; `text`: made when the page is built. */
export const PAGES = [
  { name: 'index', title: 'Overview', source: 'web/docs/index.md', about: 'what IRPlanner is, and one program' },
  { name: 'tutorial', title: 'Tutorial', source: 'web/docs/tutorial.md', about: 'from one line to a whole Llama in ten minutes' },
  { name: 'language', title: 'Language', source: 'core/language.md', about: 'the reference: rules, grammar, diagnostics, limits' },
  { name: 'operators', title: 'Operators', source: 'web/docs/operators.md', text: operators, about: 'every operator with operands, shapes and attributes' },
  { name: 'plan', title: 'The plan', source: 'core/plan.md', about: 'what a runtime does with plan.json' },
  { name: 'embedding', title: 'In your pages', source: 'web/docs/embedding.md', about: 'programs in other documentation: remark plugin and element' },
  { name: 'frames', title: 'Element and frame', source: 'web/embed/README.md', about: 'attributes and messages of what is embedded' },
  { name: 'package', title: 'In JavaScript', source: 'wasm/README.md', about: 'the npm package: the compiler in browsers and in Node' },
];

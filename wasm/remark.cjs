// For require(): the plugin is an ES module, which it waits for.
module.exports = (options) => {
  const made = import('./dist/remark.js').then(({ default: remarkIrplan }) => remarkIrplan(options));
  return async (tree, file) => (await made)(tree, file);
};

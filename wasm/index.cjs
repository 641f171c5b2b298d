// For require(): the package is made of ES modules, which load() waits for.
exports.load = (...source) => import('./node.js').then((irplan) => irplan.load(...source));

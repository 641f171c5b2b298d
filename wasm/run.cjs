// For require(): the package is made of ES modules.
exports.run = (...words) => import('./run_node.js').then((irplan) => irplan.run(...words));

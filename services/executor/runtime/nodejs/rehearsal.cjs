/** What a runner loads before it is ready (main.mjs). */
exports.handle = () => ({ status: 200, headers: {}, body: {} });

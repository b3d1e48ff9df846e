exports.handler = async (event, context) => {
  context.getLogger().info(`greeting ${event.name ?? "nobody"}`);
  return { hello: event.name ?? "world", requestId: context.getRequestID() };
};

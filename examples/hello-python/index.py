def handler(event, context):
    context.getLogger().info("greeting " + event.get("name", "nobody"))
    return {"hello": event.get("name", "world"), "requestId": context.getRequestID()}

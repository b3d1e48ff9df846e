def handle(req):
    return {
        "status_code": 200,
        "headers": {"x-handled-by": "request-python"},
        "body": {"method": req.method, "path": req.path, "query": req.query, "received": req.body.decode()},
    }

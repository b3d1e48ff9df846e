const { LIMIT_CELSIUS = "80" } = process.env;
const LIMIT = Number(LIMIT_CELSIUS);

/** One measurement a message: {"celsius":21.5} on sensors/<line>/temperature. */
export async function handle(req) {
  const [, line] = req.headers["x-topic"].split("/");
  const { celsius } = JSON.parse(req.body.toString());
  if (!Number.isFinite(celsius)) throw new TypeError(`no temperature in a message of ${line}`);
  const alarm = celsius > LIMIT;
  console.log(`${line}: ${celsius} °C${alarm ? `, above ${LIMIT}: ALARM` : ""}`);
  return { status: 200, body: { line, celsius, limit: LIMIT, alarm } };
}

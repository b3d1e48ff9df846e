/**
 * A nightly report: sums up the sales of the day before the tick. The event is FunctionGraph's timer event; its time is the
 * tick's own, in the schedule's zone, so a report that is made up for later is still that of its own night.
 */
export async function handler(event) {
  const day = dayBefore(event.time);
  const sales = await readSales(day);
  const report = {
    report: event.user_event || event.trigger_name,
    day,
    sales: sales.length,
    total: sales.reduce((sum, { amount }) => sum + amount, 0),
    best: sales.toSorted((one, other) => other.amount - one.amount)[0]?.item,
  };
  console.log(`${report.report} of ${day}: ${report.sales} sales, ${report.total} in all`);
  return report;
}

/** "2026-03-30T03:00:00+02:00": the night belongs to 2026-03-29. */
function dayBefore(time) {
  const noon = new Date(`${time.slice(0, 10)}T12:00:00Z`);
  noon.setUTCDate(noon.getUTCDate() - 1);
  return noon.toISOString().slice(0, 10);
}

/** The day's sales, [{ "item": "tea", "amount": 3 }, …]; none where the day has no file. */
async function readSales(day) {
  const { SALES_URL } = process.env;
  if (!SALES_URL) return [];
  const answer = await fetch(`${SALES_URL}/${day}.json`);
  if (answer.status === 404) return [];
  // Thrown, so that the invocation fails and is tried again by the function's own policy.
  if (!answer.ok) throw new Error(`sales of ${day} cannot be read: ${answer.status}`);
  return answer.json();
}

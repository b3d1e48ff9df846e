import { startReplica } from "./replica.ts";

const [url = "", level = "error"] = process.argv.slice(2);
await startReplica(url, level);
console.log("replica is up");

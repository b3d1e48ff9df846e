/** "host:port" or "[v6]:port" as its parts. */
export function splitAddress(address: string, defaultPort = 9092): { host: string; port: number } {
  const match = /^\[?(.*?)\]?(?::(\d+))?$/.exec(address);
  return { host: match?.[1] ?? address, port: match?.[2] === undefined ? defaultPort : Number(match[2]) };
}

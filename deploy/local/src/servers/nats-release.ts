/** The release of nats-server that we fetch, and the SHA-256 of its archives as its SHA256SUMS file has them. */
export const natsRelease = {
  version: "2.15.0",
  url: "https://github.com/nats-io/nats-server/releases/download",
  sha256: {
    "linux-amd64": "5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92",
    "linux-arm64": "cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112",
    "darwin-amd64": "5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95",
    "darwin-arm64": "e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8",
  } as Readonly<Record<string, string>>,
};

/** The platform as release archives name it: "linux-amd64". */
export const releasePlatform = (platform: string, arch: string): string =>
  `${platform}-${arch === "x64" ? "amd64" : arch}`;

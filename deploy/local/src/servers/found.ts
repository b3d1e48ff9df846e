import type { WantedServer } from "./wanted.ts";

/** A server program on this machine, or an image of one. */
export type FoundServer =
  | { how: "program"; command: string; version: string; env: Record<string, string>; from: string }
  | { how: "image"; image: string; command: string; version: string; docker: string; from: string };

/** What the steps may use. All of it is an argument, so that a test can be a machine with nothing on it. */
export interface FindContext {
  /** Folders to look for server programs in. */
  searchFolders: readonly string[];
  /** Folders to look for tools in (go, tar, apt-get, dpkg-deb, docker). */
  toolFolders: readonly string[];
  /** Our own cache of programs: `<XDG_CACHE_HOME>/fnbus`. */
  cacheFolder: string;
  offline: boolean;
  /** Where the release archives of nats-server are. */
  releaseUrl: string;
  /** SHA-256 of the release archive for this platform; undefined: none is pinned. */
  releaseSha256: string | undefined;
  /** Images to run instead of the pinned ones. */
  images: Readonly<Partial<Record<WantedServer["kind"], string>>>;
  env: Readonly<Record<string, string | undefined>>;
  progress(line: string): void;
}

/** One way of finding a server: the server, or why not, for a person. */
export interface FindStep {
  name: string;
  find(wanted: WantedServer, context: FindContext): Promise<FoundServer | string>;
}

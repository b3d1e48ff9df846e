import type { Runtime } from "@fnbus/contract";

/** How runners are started on this machine, as the probe found it (docs/adr/0006-isolation.md). */
export interface Isolation {
  level: "sandbox" | "process";
  /** The runner's user on the machine: a user without rights, where the executor may change it. */
  user: "nobody" | "own";
  /** The sandbox can make no user namespaces of its own, where it would hold every capability over parts of the kernel. */
  sealed?: true;
}

export interface LaunchPaths {
  node: string;
  python: string;
  /** Folder of runtime/nodejs and runtime/python. */
  runtimes: string;
}

export interface LaunchWish {
  runtime: Runtime;
  network: boolean;
  /** The instance's own folder; its `code` folder is the code's root. */
  home: string;
  /** Code that is bound as it stands in the cache, instead of linked into `home`. */
  codeFolder?: string;
  /** cgroup.procs files that the process joins before it starts anything. */
  groups: string[];
}

export interface Launch {
  command: string;
  args: string[];
  env: Record<string, string>;
}

const NOBODY = "65534";
const SANDBOX_HOME = "/opt/function";
/**
 * Node.js lets the garbage of small calls grow to three times its default of 32 MB before it collects: an echo of 1 KB under
 * load came to 140 MB, and was killed at the default limit of 128.
 */
const YOUNG_MB = 4;
const TMP_BYTES = 64 * 1024 * 1024;
const JOIN_GROUPS = `for group in $1; do echo $$ > "$group" || exit 125; done; shift; exec "$@"`;
/** What resolving names and TLS need; nothing else of /etc is seen. */
const ETC_FILES = ["resolv.conf", "hosts", "nsswitch.conf", "ssl", "ca-certificates", "localtime", "ld.so.cache"];
const BASE_ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/tmp", TMPDIR: "/tmp", LANG: "C.UTF-8" };

/** Where the function's code stands as the function sees it. */
export const toCodeRoot = (isolation: Isolation, home: string): string =>
  `${isolation.level === "sandbox" ? SANDBOX_HOME : home}/code`;

/** Command, arguments and whole environment of a runner (I10: nothing of ours is inherited). */
export function toLaunch(isolation: Isolation, paths: LaunchPaths, wish: LaunchWish): Launch {
  const inside = isolation.level === "sandbox";
  const runner = toRunner(wish.runtime, inside ? toSandboxPaths(paths) : paths);
  const words = [
    ...(wish.groups.length > 0 ? ["/bin/sh", "-c", JOIN_GROUPS, "sh", wish.groups.join(" ")] : []),
    ...(isolation.user === "nobody"
      ? ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--no-new-privs"]
      : []),
    ...(inside ? toSandbox(isolation, paths, wish) : []),
    ...runner,
  ];
  return { command: words[0]!, args: words.slice(1), env: { ...BASE_ENVIRONMENT } };
}

const toSandboxPaths = (paths: LaunchPaths): LaunchPaths => ({
  node: "/opt/fnbus/node",
  python: paths.python,
  runtimes: "/opt/fnbus/runtime",
});

const toRunner = (runtime: Runtime, paths: LaunchPaths): string[] =>
  runtime === "nodejs"
    ? [paths.node, `--max-semi-space-size=${YOUNG_MB}`, `${paths.runtimes}/nodejs/main.mjs`]
    : [paths.python, "-B", `${paths.runtimes}/python/main.py`];

function toSandbox(isolation: Isolation, paths: LaunchPaths, wish: LaunchWish): string[] {
  return [
    "bwrap",
    "--unshare-all",
    ...(isolation.sealed ? ["--unshare-user", "--disable-userns"] : []),
    ...(wish.network ? ["--share-net"] : []),
    "--die-with-parent",
    "--new-session",
    ...["--ro-bind", "/usr", "/usr"],
    ...["lib", "lib64", "bin", "sbin"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    ...ETC_FILES.flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...["--size", String(TMP_BYTES), "--tmpfs", "/tmp"],
    ...["--ro-bind", paths.node, "/opt/fnbus/node"],
    ...["--ro-bind", paths.runtimes, "/opt/fnbus/runtime"],
    ...(wish.codeFolder
      ? ["--ro-bind", wish.codeFolder, `${SANDBOX_HOME}/code`]
      : ["--ro-bind", wish.home, SANDBOX_HOME]),
    ...["--uid", NOBODY, "--gid", NOBODY],
    ...["--hostname", "function", "--cap-drop", "ALL", "--chdir", "/tmp"],
  ];
}

import { limits } from "@fnbus/contract";

/** A line of a function's output, with the call that wrote it (0: none, at loading). */
export interface OutputLine {
  call: number;
  text: string;
}

const NUL = 0;
const LF = 10;
export const CUT_MARK = `[output over ${limits.logBytesPerInvocation / 1024} kB is cut]`;

/**
 * Cuts one descriptor's output into lines, holding at most one line (I11). Marks of runtime/PROTOCOL.md say whose output
 * follows. A line over `limits.logLineBytes` is split. Over `limits.logBytesPerInvocation` a call's lines are
 * dropped after one line that says so; `onDropped` counts them.
 */
export function createLineReader(onLine: (line: OutputLine) => void, onDropped: (lines: number) => void) {
  let call = 0;
  let bytesOfCall = 0;
  let rest = Buffer.alloc(0);

  function emit(bytes: Buffer): void {
    if (bytes[0] === NUL) {
      const marked = Number(bytes.toString("latin1", 1));
      if (Number.isInteger(marked)) {
        call = marked;
        bytesOfCall = 0;
        return;
      }
    }
    if (bytesOfCall > limits.logBytesPerInvocation) {
      onDropped(1);
      return;
    }
    bytesOfCall += bytes.length + 1;
    onLine({
      call,
      text: bytesOfCall > limits.logBytesPerInvocation ? CUT_MARK : bytes.toString("utf8").replace(/\r$/, ""),
    });
  }

  return {
    read(chunk: Buffer): void {
      const buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let offset = 0;
      for (;;) {
        const end = buffer.indexOf(LF, offset);
        const lineEnd = end < 0 ? buffer.length : end;
        while (lineEnd - offset > limits.logLineBytes) {
          emit(buffer.subarray(offset, offset + limits.logLineBytes));
          offset += limits.logLineBytes;
        }
        if (end < 0) break;
        emit(buffer.subarray(offset, end));
        offset = end + 1;
      }
      rest = Buffer.from(buffer.subarray(offset));
    },
    /** The process ended: what stands without a line's end is a line. */
    end(): void {
      if (rest.length > 0) emit(rest);
      rest = Buffer.alloc(0);
    },
  };
}

import type { Socket } from "node:net";
import { errorRow } from "@fnbus/contract";

/** What the HTTP parser refused has no route and no request: answered on the socket. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const code =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "headers_too_large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "request_timeout"
        : "invalid_request";
  const { status, title, fix } = errorRow(code);
  const body = JSON.stringify({ type: `/docs/errors#${code}`, title, status, code, fix });
  const head = `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\nx-fnbus-error: ${code}\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}

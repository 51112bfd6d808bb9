// A publisher of one file on this machine: a real HTTP server that answers ranges and ETags as it
// should, or goes wrong in a chosen way, and counts what it was asked and what it sent.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Behaviour {
  /** The ETag; default `"one"`. Null sends none. */
  etag?: string | null;
  /** Sends the whole file with status 200, whatever range is asked for. */
  ignoresRange?: boolean;
  /** Honours a range although `If-Range` names another version. */
  ignoresIfRange?: boolean;
  /** Cuts the connection after so many bytes of this answer. */
  cutAfter?: number;
  /** Falls silent after so many bytes of this answer. */
  stallAfter?: number;
  /** Answers with this status and no file. */
  status?: number;
  /** Sends the client elsewhere. */
  location?: string;
  /** Waits between pieces, so that a test can act in the middle. */
  pieceDelayMs?: number;
}

export interface Publisher {
  readonly url: string;
  readonly port: number;
  /** In order of arrival. */
  readonly requests: { path: string; range?: string | undefined; ifRange?: string | undefined }[];
  /** Bytes of the file sent in all answers together. */
  readonly sentByteLength: number;
  close(): Promise<void>;
}

/** @param behaviourOf The behaviour for the n-th request, counted from 0. */
export async function startPublisher(
  bytes: Uint8Array,
  behaviourOf: (index: number) => Behaviour = () => ({}),
): Promise<Publisher> {
  const requests: Publisher["requests"] = [];
  let sentByteLength = 0;
  const server = createServer((request, response) => {
    const { range, "if-range": ifRange } = request.headers;
    requests.push({ path: request.url ?? "", range, ifRange: ifRange as string | undefined });
    const behaviour = behaviourOf(requests.length - 1);
    void answer(request, response, { bytes, behaviour }).then((sent) => {
      sentByteLength += sent;
    });
  });
  const { port, close } = await listen(server);
  return {
    ...{ port, requests, close },
    url: `http://127.0.0.1:${port}/model.gguf`,
    get sentByteLength() {
      return sentByteLength;
    },
  };
}

/** Listens on a free port; `close` drops the connections that are open. */
export async function listen(
  server: Server,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  };
  return { port: (server.address() as AddressInfo).port, close };
}

const pieceByteLength = 16 * 1024;

/** Returns how many bytes of the file were sent. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, behaviour }: { bytes: Uint8Array; behaviour: Behaviour },
): Promise<number> {
  const { status, location, etag = '"one"' } = behaviour;
  if (location !== undefined) response.writeHead(302, { location }).end();
  else if (status !== undefined) response.writeHead(status).end("no");
  else {
    const start = startOf(request, behaviour);
    if (start > 0 && start >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return 0;
    }
    const headers = {
      "content-length": bytes.length - start,
      ...(etag !== null && { etag }),
      ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    };
    response.writeHead(start > 0 ? 206 : 200, headers);
    return send(response, bytes.subarray(start), behaviour);
  }
  return 0;
}

function startOf({ headers }: IncomingMessage, behaviour: Behaviour): number {
  const { ignoresRange, ignoresIfRange, etag = '"one"' } = behaviour;
  const isOldVersion = headers["if-range"] !== undefined && headers["if-range"] !== etag;
  if (ignoresRange || (isOldVersion && !ignoresIfRange)) return 0;
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
}

async function send(
  response: ServerResponse,
  bytes: Uint8Array,
  { cutAfter = Number.POSITIVE_INFINITY, stallAfter, pieceDelayMs = 0 }: Behaviour,
): Promise<number> {
  const last = Math.min(bytes.length, cutAfter, stallAfter ?? cutAfter);
  let sent = 0;
  while (sent < last && !response.destroyed) {
    const piece = bytes.subarray(sent, Math.min(last, sent + pieceByteLength));
    await new Promise((flushed) => response.write(piece, flushed));
    sent += piece.length;
    if (pieceDelayMs > 0) await new Promise((waited) => setTimeout(waited, pieceDelayMs));
  }
  if (stallAfter !== undefined) return sent;
  if (sent < bytes.length) response.destroy();
  else response.end();
  return sent;
}

// The one place where errors and cancels become LSP's. In: what answers a request. Out: the same with
// a signal for a token, and an error of LSP for one that was thrown.
import {
  type CancellationToken,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
} from "vscode-languageserver/node";
import { CatalogueError } from "../catalogue/catalogue-error.ts";
import { CancelledError, errorKind } from "../errors.ts";
import { logFailure } from "./log.ts";

/** Every request is answered through it. */
export function guarded<P, R>(
  handler: (params: P, signal: AbortSignal) => Promise<R>,
): (params: P, token: CancellationToken) => Promise<R | ResponseError<void>> {
  return async (params, token) => {
    const controller = new AbortController();
    const subscription = token.onCancellationRequested(() => controller.abort());
    // A token that was cancelled before its request came up never says so.
    if (token.isCancellationRequested) controller.abort();
    try {
      return await handler(params, controller.signal);
    } catch (error) {
      return toResponseError(error);
    } finally {
      subscription.dispose();
    }
  };
}

function toResponseError(error: unknown): ResponseError<void> {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CancelledError)
    return new ResponseError(LSPErrorCodes.RequestCancelled, message);
  if (errorKind(error) !== "internal" || error instanceof CatalogueError)
    return new ResponseError(LSPErrorCodes.RequestFailed, message);
  logFailure(error);
  return new ResponseError(ErrorCodes.InternalError, message);
}

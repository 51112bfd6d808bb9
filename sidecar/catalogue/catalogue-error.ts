/**
 * The world outside refused: the network, a server, or another process that holds a file. Not a bug,
 * so the message alone is shown, and it ends with a way out.
 */
export class CatalogueError extends Error {
  override readonly name = "CatalogueError";
}
